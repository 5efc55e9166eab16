import assert from 'node:assert/strict';
import type { PairGroup } from '../../../src/model/query-source.js';
import { denoisingLeakMask, denoisingPairs, officialNoise } from '../../../src/training/data/denoising.js';
import { randomStream } from '../../../src/training/data/random-stream.js';

const groupOf = (
  subjects: readonly (readonly [number, number])[],
  objects: readonly (readonly [number, number])[],
): PairGroup => {
  // Each entry is a label and a center; all boxes have the same size.
  const boxes = (of: typeof subjects) => Float32Array.from(of.flatMap(([, at]) => [at, 0.5, 0.2, 0.4]));
  const labels = (of: typeof subjects) => Int32Array.from(of, ([label]) => label);
  return {
    subjectBoxes: boxes(subjects),
    objectBoxes: boxes(objects),
    subjectLabels: labels(subjects),
    objectLabels: labels(objects),
  };
};

const many = (count: number) =>
  groupOf(
    Array.from({ length: count }, () => [3, 0.5] as const),
    Array.from({ length: count }, () => [4, 0.3] as const),
  );

describe('noisyPairs', () => {
  it('moves boxes uniformly within the bounds, and does not change the clean ones', () => {
    const clean = many(4000);
    const before = structuredClone(clean);
    const noisy = denoisingPairs(randomStream(1), clean, 50, officialNoise);
    assert.deepEqual(clean, before);
    const [most, sums] = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    for (let k = 0; k < noisy.subjectBoxes.length; k++) {
      const moved = noisy.subjectBoxes[k]! - clean.subjectBoxes[k]!;
      most[k % 4] = Math.max(most[k % 4]!, Math.abs(moved));
      sums[k % 4]! += moved;
    }
    // Half of 0.2 and 0.4 times 0.4 for the center, 0.4 of them for the size.
    for (const [k, bound] of [0.04, 0.08, 0.08, 0.16].entries()) {
      assert.ok(most[k]! <= bound + 1e-6 && most[k]! > 0.97 * bound, `${k}: ${most[k]}`);
      assert.ok(Math.abs(sums[k]! / 4000) < 0.05 * bound, `${k}: ${sums[k]}`);
    }
  });

  it('replaces labels with the given probability by a uniformly drawn label', () => {
    const clean = many(5000);
    const { subjectLabels } = denoisingPairs(randomStream(2), clean, 50, officialNoise);
    const replaced = subjectLabels.filter((label) => label !== 3);
    // 0.2 · 49/50 of 5000.
    assert.ok(replaced.length > 900 && replaced.length < 1060, `${replaced.length}`);
    assert.equal(new Set(subjectLabels).size, 50);
    assert.ok(subjectLabels.every((label) => label >= 0 && label < 50));
  });

  it('is the same for the same seed, and one kind of noise does not depend on the other', () => {
    const clean = many(50);
    const noisy = denoisingPairs(randomStream(3), clean, 50, officialNoise);
    assert.deepEqual(denoisingPairs(randomStream(3), clean, 50, officialNoise), noisy);
    assert.deepEqual(denoisingPairs(randomStream(3), clean, 50, { label: 0, box: 0 }), clean);
    const boxesOnly = denoisingPairs(randomStream(3), clean, 50, { label: 0, box: 0.4 });
    assert.deepEqual(boxesOnly.subjectBoxes, noisy.subjectBoxes);
    assert.deepEqual(boxesOnly.subjectLabels, clean.subjectLabels);
  });

  it('gives the same object different noise in each pair', () => {
    const { subjectBoxes } = denoisingPairs(randomStream(4), many(2), 9, officialNoise);
    assert.notDeepEqual(subjectBoxes.slice(0, 4), subjectBoxes.slice(4));
  });

  it('clips boxes to the image, and handles one label and no pairs', () => {
    const edge = { ...many(1), subjectBoxes: Float32Array.from([0.99, 0.01, 1, 1]) };
    for (let seed = 0; seed < 50; seed++) {
      const { subjectBoxes, subjectLabels } = denoisingPairs(randomStream(seed), edge, 1, { label: 1, box: 1 });
      assert.ok(subjectBoxes.every((value) => value >= 0 && value <= 1));
      assert.deepEqual([...subjectLabels], [0]);
    }
    assert.equal(denoisingPairs(randomStream(1), many(0), 9, officialNoise).subjectBoxes.length, 0);
  });
});

describe('leakMask', () => {
  it('masks queries with the same label and box from each other, but not from themselves', () => {
    // Pairs (a, b) and (b, a): a is subject 0 and object 1, b is object 0 and subject 1.
    const group = groupOf(
      [
        [1, 0.2],
        [2, 0.6],
      ],
      [
        [2, 0.6],
        [1, 0.2],
      ],
    );
    // Three slots, one of them unused: queries 0 1 2 | 3 4 5.
    const mask = denoisingLeakMask([group], 3)!;
    const masked: string[] = [];
    for (let a = 0; a < 6; a++) for (let b = 0; b < 6; b++) if (mask[6 * a + b]) masked.push(`${a} ${b}`);
    assert.deepEqual(masked, ['0 4', '1 3', '3 1', '4 0']);
  });

  it('does not mask queries with another label or box, or of another image', () => {
    const near = groupOf([[1, 0.2]], [[1, 0.2001]]);
    const relabeled = groupOf([[1, 0.2]], [[2, 0.2]]);
    assert.equal(denoisingLeakMask([near, relabeled], 1), null);
    const twice = groupOf([[1, 0.2]], [[1, 0.2]]);
    assert.deepEqual([...denoisingLeakMask([near, twice], 1)!], [0, 0, 0, 0, 0, 1, 1, 0]);
  });
});
