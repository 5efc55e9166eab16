import assert from 'node:assert/strict';
import { pairNms, RelationScores } from '../../../src/evaluation/benchmarks/relation-scores.js';
import type { Box } from '../../../src/records/box.js';
import type { FoundRelation } from '../../../src/records/found-relation.js';
import type { ImageRecord } from '../../../src/records/image.js';
import type { Related } from '../../../src/records/scene-graph.js';

const [A, B, C]: readonly Box[] = [
  [0, 0, 10, 10],
  [20, 0, 10, 10],
  [40, 0, 10, 10],
];
const truth = {
  image: { id: 1, file: '1.jpg', width: 60, height: 20, dataset: 'x', split: '' },
  origin: { source: 'x', file: 'x' },
  detections: [
    { id: 1, category: 'person', box: A! },
    { id: 2, category: 'dog', box: B! },
    { id: 3, category: 'dog', box: C! },
  ],
  relations: [
    { subject: 0, object: 1, predicate: 'walking' },
    { subject: 0, object: 2, predicate: 'walking' },
    { subject: 1, object: 0, predicate: 'near' },
  ],
  tagger: null,
} as unknown as ImageRecord & Related;

const found = (
  score: number,
  predicate: string,
  [subject, s]: readonly [string, Box],
  [object, o]: readonly [string, Box],
): FoundRelation => ({
  subject: { category: subject, box: s },
  predicate,
  object: { category: object, box: o },
  score,
});

describe('RelationScores', () => {
  it('matches each true relation at most once, by names and overlap', () => {
    const scores = new RelationScores([1, 4]);
    scores.add(truth, [
      found(0.9, 'walking', ['person', A!], ['dog', [21, 0, 10, 10]]),
      // Too far away, another category, and another predicate.
      found(0.8, 'walking', ['person', A!], ['dog', [46, 0, 10, 10]]),
      found(0.7, 'walking', ['person', A!], ['cat', C!]),
      found(0.6, 'near', ['dog', B!], ['person', A!]),
      found(0.5, 'walking', ['person', A!], ['dog', C!]),
    ]);
    const { recall, meanRecall, pairRecall, meanAveragePrecision, predicates, relations } = scores.result();
    assert.equal(relations, 3);
    assert.deepEqual(recall, { 1: 1 / 3, 4: 2 / 3 });
    assert.deepEqual(meanRecall, { 1: 0.25, 4: 0.75 });
    assert.deepEqual(pairRecall, { 1: 1 / 3, 4: 2 / 3 });
    // walking: precision 1 of 1 at the first match and 2 of 4 at the second.
    const walking = (1 + 2 / 4) / 2;
    assert.deepEqual(
      predicates.map(({ predicate, count, averagePrecision }) => [predicate, count, averagePrecision]),
      [
        ['walking', 2, walking],
        ['near', 1, 1],
      ],
    );
    assert.equal(meanAveragePrecision, (walking + 1) / 2);
  });

  it('counts relations without a match as misses, and gives held-out relations a separate recall', () => {
    const scores = new RelationScores([10], (_, predicate) => predicate === 'near');
    scores.add(truth, [found(0.9, 'walking', ['person', A!], ['dog', B!])]);
    const { unseen, unseenRecall, recall, predicates } = scores.result();
    assert.deepEqual([unseen, unseenRecall, recall], [1, { 10: 0 }, { 10: 1 / 3 }]);
    assert.deepEqual(
      predicates.map(({ averagePrecision }) => averagePrecision),
      [0.5, 0],
    );
    assert.deepEqual(new RelationScores([10]).result().unseenRecall, { 10: null });
  });

  it('keeps the highest-scoring of overlapping pairs in pairNms', () => {
    // The official module keeps the first and the third.
    const boxes = (s: Box, o: Box, score: number) => found(score, 'near', ['person', s], ['dog', o]);
    const kept = pairNms([
      boxes([0, 0, 100, 100], [50, 50, 100, 100], 0.9),
      boxes([5, 5, 100, 100], [55, 55, 95, 95], 0.8),
      boxes([0, 0, 100, 100], [200, 200, 100, 100], 0.7),
    ]);
    assert.deepEqual(
      kept.map(({ score }) => score),
      [0.9, 0.7],
    );
  });
});
