import assert from 'node:assert/strict';
import { averagePrecision } from '../../../src/evaluation/predicates/average-precision.js';
import { PredicateScores } from '../../../src/evaluation/predicates/predicate-scores.js';
import { assertClose } from '../../support/tensors.js';

const ranked = (...candidates: readonly (readonly [number, 0 | 1])[]) =>
  candidates.map(([score, holds]) => ({ score, holds: holds === 1 }));

describe('averagePrecision', () => {
  it('is 1 when all positives rank first, and equals values computed by hand otherwise', () => {
    assert.equal(averagePrecision(ranked([0.9, 1], [0.8, 1], [0.1, 0])), 1);
    assertClose([averagePrecision(ranked([0.9, 1], [0.8, 0], [0.7, 1], [0.1, 0]))!], [(1 + 2 / 3) / 2]);
    assert.equal(averagePrecision(ranked([0.9, 0])), null);
  });

  it('treats equal scores as one threshold: if all are equal, it is the share of positives', () => {
    const equal = ranked([0.5, 1], [0.5, 0], [0.5, 0], [0.5, 1]);
    assert.equal(averagePrecision(equal), 0.5);
    assert.equal(averagePrecision(equal.toReversed()), 0.5);
  });
});

describe('PredicateScores', () => {
  it('computes recall, recall with one predicate per pair, and mean recall as by hand', () => {
    const scores = new PredicateScores(['on', 'near'], [1, 2, 3]);
    // Both predicates hold for pair 0, near holds for pair 1; the second pair's "on" is wrong and ranks second.
    scores.add({ scores: Float32Array.from([0.9, 0.6, 0.8, 0.1]), truth: Uint8Array.from([1, 1, 0, 1]) });
    scores.add({ scores: Float32Array.from([0.2, 0.1]), truth: Uint8Array.from([0, 0]) });
    const report = scores.result();
    assert.deepEqual([report.images, report.imagesWithRelations, report.pairs, report.relations], [2, 1, 3, 3]);
    assertClose(Object.values(report.recall), [1 / 3, 1 / 3, 2 / 3]);
    assertClose(Object.values(report.constrainedRecall), [1 / 3, 1 / 3, 1 / 3]);
    // on: found at K = 1; near: none, none, one of two.
    assertClose(Object.values(report.meanRecall), [0.5, 0.5, 0.75]);
    assert.deepEqual(
      report.predicates.map(({ count }) => count),
      [1, 2],
    );
  });

  it('computes the calibration error', () => {
    const scores = new PredicateScores(['on']);
    scores.add({ scores: Float32Array.from([0.75, 0.75, 0.75, 0.75]), truth: Uint8Array.from([1, 1, 1, 0]) });
    assertClose([scores.result().calibrationError], [0]);
    scores.add({ scores: Float32Array.from([1, 1, 1, 1]), truth: Uint8Array.from([0, 0, 0, 0]) });
    assertClose([scores.result().calibrationError], [0.5]);
    assert.throws(() => scores.add({ scores: new Float32Array(2), truth: new Uint8Array(3) }), RangeError);
  });
});
