import assert from 'node:assert/strict';
import { NO_OBJECTS } from '../../../src/model/no-objects.js';
import { labelSet } from '../../../src/training/data/label-set.js';
import { randomStream } from '../../../src/training/data/random-stream.js';
import { WeightedSampler } from '../../../src/training/data/weighted-sampler.js';

describe('labelSet', () => {
  const vocabularies = {
    objects: new WeightedSampler(
      new Map([
        ['person', 9],
        ['horse', 3],
        ['dog', 2],
        [NO_OBJECTS, 5],
      ]),
    ),
    relations: new WeightedSampler(
      new Map([
        ['on', 5],
        ['near', 4],
        ['behind', 1],
      ]),
    ),
  };
  const images = [
    { categories: ['horse', 'person', 'horse'], pairs: [{ predicates: ['near'] }, { predicates: [] }] },
    { categories: ['person'], pairs: [{ predicates: ['near', 'on'] }] },
  ];

  it('lists the labels of the images in order, then drawn ones, and "no objects" as the last object', () => {
    const { objects, relations } = labelSet(randomStream(1), images, vocabularies, { objects: 333, relations: 167 });
    assert.deepEqual(objects, ['horse', 'person', 'dog', NO_OBJECTS]);
    assert.deepEqual(relations, ['near', 'on', 'behind']);
  });

  it('keeps all labels of the images, and draws none beyond the counts', () => {
    const small = labelSet(randomStream(1), images, vocabularies, { objects: 1, relations: 1 });
    assert.deepEqual(small, { objects: ['horse', 'person', NO_OBJECTS], relations: ['near', 'on'] });
  });

  it('draws a predicate when the images have none', () => {
    const empty = labelSet(randomStream(1), [{ categories: ['dog'], pairs: [] }], vocabularies, {
      objects: 0,
      relations: 0,
    });
    assert.deepEqual(empty.objects, ['dog', NO_OBJECTS]);
    assert.equal(empty.relations.length, 1);
  });
});
