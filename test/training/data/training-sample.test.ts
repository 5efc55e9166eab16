import assert from 'node:assert/strict';
import type { ImageRecord } from '../../../src/records/image.js';
import type { Related, Relation } from '../../../src/records/scene-graph.js';
import { trainingSample } from '../../../src/training/data/training-sample.js';

type Boxes = readonly (readonly [number, number, number, number])[];

const record = (boxes: Boxes, relations: readonly Relation[]): ImageRecord & Related => ({
  image: { id: 7, file: '7.jpg', width: 100, height: 50, dataset: 'test', split: '' },
  detections: boxes.map((box, id) => ({ id, category: `thing ${id}`, box })),
  origin: { source: 'test', file: 'test.json' },
  relations: [...relations],
  tagger: null,
});
const options = { relationThreshold: 0.2 };
const holds = (subject: number, object: number | null, predicate: string, confidence?: number): Relation => ({
  subject,
  object,
  predicate,
  ...(confidence !== undefined && { confidence }),
});

describe('trainingSample', () => {
  it('merges the predicates of a pair, and counts what it leaves out', () => {
    const boxes: Boxes = [
      [10, 10, 20, 20],
      [5, 5, 0, 9],
      [90, 40, 30, 30],
      [300, 10, 20, 20],
    ];
    const relations = [
      holds(0, 2, 'near'),
      holds(0, 2, 'behind', 0.2),
      holds(0, 2, 'near', 0.9),
      holds(2, 0, 'on', 0.19),
      holds(0, 1, 'near'),
      holds(0, 3, 'near'),
      holds(2, 2, 'near'),
      holds(0, null, 'walk'),
    ];
    const counts: Record<string, number> = {};
    const sample = trainingSample(record(boxes, relations), options, (problem) => {
      counts[problem] = (counts[problem] ?? 0) + 1;
    });
    assert.deepEqual(sample.boxes, [
      [10, 10, 20, 20],
      [90, 40, 10, 10],
    ]);
    assert.deepEqual(sample.categories, ['thing 0', 'thing 2']);
    assert.deepEqual(sample.pairs, [
      { subject: 0, object: 1, predicates: ['near', 'behind'] },
      { subject: 1, object: 1, predicates: ['near'] },
    ]);
    assert.deepEqual(counts, {
      'empty-box': 2,
      'repeated-relation': 1,
      'weak-relation': 1,
      'relation-of-empty-box': 2,
      'relation-without-object': 1,
    });
  });

  it('keeps relations without an object for a vocabulary that has missing objects', () => {
    const boxes: Boxes = [
      [10, 10, 20, 20],
      [50, 10, 20, 20],
    ];
    const relations = [holds(0, null, 'walk'), holds(0, 1, 'hold'), holds(0, null, 'run'), holds(1, null, 'run')];
    const vocabulary = {
      objects: ['thing 0', 'thing 1', 'missing objects'],
      relations: ['walk', 'hold', 'run'],
    };
    assert.deepEqual(trainingSample(record(boxes, relations), { ...options, vocabulary }).pairs, [
      { subject: 0, object: null, predicates: ['walk', 'run'] },
      { subject: 0, object: 1, predicates: ['hold'] },
      { subject: 1, object: null, predicates: ['run'] },
    ]);
    const heldOut = [{ predicate: 'run', object: 'missing objects' }];
    const { pairs } = trainingSample(record(boxes, relations), { ...options, vocabulary, heldOut });
    assert.deepEqual(
      pairs.flatMap(({ predicates }) => predicates),
      ['walk', 'hold'],
    );
  });

  it('keeps images without relations if asked to', () => {
    const sample = trainingSample(record([[0, 0, 9, 9]], []), { ...options, keepsImagesWithoutRelations: true });
    assert.deepEqual([sample.boxes.length, sample.pairs], [1, []]);
  });

  it('rejects records without usable objects or relations', () => {
    const box: Boxes = [[0, 0, 9, 9]];
    assert.throws(() => trainingSample(record([], []), options), { reason: 'no-objects' });
    assert.throws(() => trainingSample(record([[1, 1, 0, 0]], [holds(0, 0, 'on')]), options), {
      reason: 'no-objects',
      message: 'image 7: has no object with an area',
    });
    assert.throws(() => trainingSample(record(box, []), options), { reason: 'no-relations' });
    assert.throws(() => trainingSample(record([...box, [0, 0, -5, 9]], [holds(0, 1, 'on')]), options), {
      reason: 'no-relations',
    });
    assert.throws(() => trainingSample(record([...box, [Number.NaN, 0, 5, 9]], [holds(0, 1, 'on')]), options), {
      reason: 'no-relations',
    });
  });
});
