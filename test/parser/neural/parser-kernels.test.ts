import assert from 'node:assert/strict';
import { packMatrix } from '../../../src/parser/neural/kernels/pack-matrix.js';
import { maxPackedInputs } from '../../../src/parser/neural/kernels/packed-matrix.js';
import { ParserKernels, viterbiScratch } from '../../../src/parser/neural/kernels/parser-kernels.js';
import { tagMayFollow, tagMayStart } from '../../../src/parser/neural/tag-sequence.js';
import { Random } from '../../../src/records/random.js';

const kernels = new ParserKernels(4 << 20);
const random = new Random(1);
const fill = (values: Float32Array) => values.map(() => random.normal());

/** Returns an array of random numbers in the kernels' memory. */
const numbers = (length: number) => {
  const values = kernels.floats(length);
  values.set(fill(values));
  return values;
};

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  assert.equal(actual.length, expected.length);
  for (let k = 0; k < expected.length; k++)
    assert.ok(Math.abs(actual[k]! - expected[k]!) < 1e-4, `[${k}]: ${actual[k]}, expected ${expected[k]}`);
};

describe('ParserKernels', () => {
  for (const [m, n, k] of [
    [1, 8, 1],
    [4, 16, 7],
    [11, 24, 33],
    [6, 184, 96],
  ] as const)
    it(`multiplies ${m} × ${k} by ${k} × ${n}, also with the first matrix transposed`, () => {
      const [a, b, c] = [numbers(m * k), numbers(k * n), numbers(m * n)];
      const before = c.slice();
      const product = (at: (i: number, p: number) => number) =>
        Array.from({ length: m * n }, (_, cell) => {
          const [i, j] = [Math.floor(cell / n), cell % n];
          let sum = before[cell]!;
          for (let p = 0; p < k; p++) sum += at(i, p) * b[p * n + j]!;
          return sum;
        });
      kernels.multiply(m, n, k, a, { row: k, column: 1 }, b, c);
      close(
        c,
        product((i, p) => a[i * k + p]!),
      );
      c.set(before);
      kernels.multiply(m, n, k, a, { row: 1, column: m }, b, c);
      close(
        c,
        product((i, p) => a[p * m + i]!),
      );
    });

  it('scans by the definition of the recurrence', () => {
    const [width, rows] = [8, 5];
    const [gates, c] = [numbers(4 * width * rows), kernels.floats(2 * width * rows)];
    const z = gates.slice();
    const softsign = (x: number) => x / (1 + Math.abs(x));
    const expected = new Float32Array(c.length);
    for (const direction of [0, 1])
      for (let k = 0; k < width; k++) {
        let state = 0;
        for (let step = 0; step < rows; step++) {
          const t = direction === 0 ? step : rows - 1 - step;
          const at = t * 4 * width + direction * 2 * width + k;
          const f = (1 + softsign(z[at]!)) / 2;
          state += f * (softsign(z[at + width]!) - state);
          expected[t * 2 * width + direction * width + k] = state;
        }
      }
    kernels.scan(gates, c, width, 0, rows);
    close(c, expected);
  });

  it('adds, applies ReLU and computes dot products', () => {
    const [a, b] = [numbers(16), numbers(16)];
    const before = a.slice();
    kernels.add(a, 8, b, 0, 8);
    close(
      a,
      before.map((value, k) => (k < 8 ? value : value + b[k - 8]!)),
    );
    a.set(before);
    kernels.addRelu(a, 0, b, 0, 16);
    close(
      a,
      before.map((value, k) => Math.max(0, value + b[k]!)),
    );
    const product = kernels.dot(b, 0, b, 8, 8);
    close([product], [b.slice(0, 8).reduce((sum, value, k) => sum + value * b[k + 8]!, 0)]);
  });

  for (const rows of [1, 2, 3, 4, 7, 33, 70])
    it(`multiplies ${rows} rows in 12-bit integers within 0.05 of the product in floats`, () => {
      const [inputs, outputs] = [96, 24];
      const [x, w, b, y, exact] = [
        numbers(rows * inputs),
        numbers(inputs * outputs),
        numbers(outputs),
        kernels.floats(rows * outputs + 8),
        kernels.floats(rows * outputs),
      ];
      kernels.linear(rows, x, 0, inputs, w, b, exact, 0, outputs);
      const packed = packMatrix(kernels, inputs, outputs, w, b);
      kernels.quantizedLinear(rows, x, 0, packed, y, 8, false);
      for (let k = 0; k < exact.length; k++)
        assert.ok(Math.abs(y[8 + k]! - exact[k]!) < 0.05, `[${k}]: ${y[8 + k]}, expected ${exact[k]}`);
      assert.deepEqual([...y.subarray(0, 8)], new Array(8).fill(0));
      kernels.quantizedLinear(rows, x, 0, packed, y, 8, true);
      assert.ok(exact.some((value) => value < -0.1) && y.every((value) => value >= 0));
    });

  it('does not overflow with the most inputs, and rejects more', () => {
    const [inputs, outputs] = [maxPackedInputs, 8];
    const packed = packMatrix(kernels, inputs, outputs, kernels.floats(inputs * outputs).fill(1), null);
    const y = kernels.floats(outputs);
    kernels.quantizedLinear(1, kernels.floats(inputs).fill(-3), 0, packed, y, 0, false);
    for (const value of y) assert.ok(Math.abs(value + 3 * inputs) < 1e-2, `${value}`);
    assert.throws(() => packMatrix(kernels, 520, 8, new Float32Array(520 * 8), null), {
      name: 'RangeError',
      message: 'packMatrix: 520 inputs, expected at most 512',
    });
  });

  it('sums windows of words', () => {
    const [rows, width, window] = [4, 8, 5];
    const [contributions, bias, table, to] = [
      numbers(3 * window * width),
      numbers(width),
      numbers(2 * width),
      kernels.floats(rows * width),
    ];
    const [wordIds, flags] = [kernels.integers(rows), kernels.integers(rows)];
    wordIds.set([2, 0, 1, 2]);
    flags.set([0, 1, 0, 1]);
    kernels.sumWindows(rows, width, wordIds, contributions, window, bias, table, flags, to);
    const expected = to.map((_, at) => {
      const [t, k] = [Math.floor(at / width), at % width];
      let sum = bias[k]! + table[flags[t]! * width + k]!;
      for (let position = 0; position < window; position++) {
        const word = wordIds[t + position - 2];
        if (word !== undefined) sum += contributions[(word * window + position) * width + k]!;
      }
      return Math.max(0, sum);
    });
    close(to, expected);
  });

  it('adds the mean of a table’s rows, weighted by a softmax', () => {
    const [rows, width, count] = [3, 8, 5];
    const [scores, weights, table, x, to] = [
      numbers(rows * 8),
      kernels.floats(rows * 8),
      numbers(count * width),
      numbers(rows * width),
      kernels.floats(rows * width),
    ];
    kernels.addSoftEmbeddings(rows, width, count, scores, weights, table, x, to);
    for (let n = 0; n < rows; n++) {
      const powers = [...scores.subarray(n * 8, n * 8 + count)].map(Math.exp);
      const sum = powers.reduce((a, b) => a + b);
      const softmax = powers.map((power) => power / sum);
      close(weights.subarray(n * 8, n * 8 + 8), [...softmax, 0, 0, 0]);
      for (let k = 0; k < width; k++) {
        const expected = softmax.reduce((y, p, c) => y + p * table[c * width + k]!, x[n * width + k]!);
        close([to[n * width + k]!], [expected]);
      }
    }
  });

  it('computes the input rows of pairs of mentions', () => {
    const width = 8;
    const [mentions, between, distances, bias] = [
      numbers(3 * 4 * width),
      numbers(6 * width),
      numbers(4 * width),
      numbers(width),
    ];
    const [pairs, pairMax, to] = [kernels.integers(12), kernels.floats(2 * width), kernels.floats(2 * width)];
    pairs.set([0, 2, 1, 4, 0, 3, 1, 2, 5, 5, 2, 1]);
    kernels.pairInputs(2, width, pairs, mentions, between, distances, bias, -5, pairMax, to);
    for (let n = 0; n < 2; n++) {
      const [first, second, from, end, distance, steps] = pairs.subarray(6 * n) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      for (let k = 0; k < width; k++) {
        const role = (mention: number, r: number) => mentions[(mention * 4 + r) * width + k]!;
        let largest = -5;
        for (let row = from; row < end; row++) largest = Math.max(largest, between[row * width + k]!);
        close([pairMax[n * width + k]!], [largest]);
        const sum =
          bias[k]! +
          largest +
          role(first, 0) +
          role(second, 1) +
          role(first, 2) * role(second, 3) +
          distances[distance * width + k]! +
          distances[steps * width + k]!;
        close([to[n * width + k]!], [Math.max(0, sum)]);
      }
    }
  });

  it('finds each row’s largest score and its probability', () => {
    const [rows, width] = [3, 16];
    const scores = numbers(rows * width);
    scores.set([-90, 40], width);
    scores.fill(-1e4, 2 * width + 3);
    const [columns, probabilities] = [kernels.integers(rows), kernels.floats(rows)];
    kernels.argmaxRows(rows, width, scores, columns, probabilities);
    for (let n = 0; n < rows; n++) {
      const row = [...scores.subarray(n * width, (n + 1) * width)];
      const largest = Math.max(...row);
      assert.equal(columns[n], row.indexOf(largest));
      close([probabilities[n]!], [1 / row.reduce((sum, score) => sum + Math.exp(score - largest), 0)]);
    }
  });

  for (const length of [1, 2, 6])
    it(`finds the best tag sequences of ${length} words, as enumerating all does`, () => {
      const count = 4;
      const scores = { tagScores: numbers((length + 2) * 8), transitions: numbers(64), starts: numbers(8) };
      const { tagScores, transitions, starts } = scores;
      const start = 2;
      const all: { readonly tags: readonly number[]; readonly score: number }[] = [];
      const extend = (tags: readonly number[], score: number): void => {
        const t = tags.length;
        if (t === length) all.push({ tags, score });
        else
          for (let tag = 0; tag < 5; tag++) {
            if (t === 0 ? !tagMayStart(tag) : !tagMayFollow(tags[t - 1]!, tag)) continue;
            const emission = tagScores[(start + t) * 8 + tag]!;
            extend([...tags, tag], score + emission + (t === 0 ? starts[tag]! : transitions[tags[t - 1]! * 8 + tag]!));
          }
      };
      extend([], 0);
      all.sort((a, b) => b.score - a.score);
      const [scratch, tags, totals] = [
        kernels.doubles(viterbiScratch * length * count),
        kernels.bytes(length * count),
        kernels.doubles(count),
      ];
      const margin = all[0]!.score - all[2]!.score + 1e-6;
      for (const [wanted, within, expected] of [
        [count, Number.POSITIVE_INFINITY, all.slice(0, count)],
        [count, margin, all.slice(0, 3)],
        [1, 0, all.slice(0, 1)],
      ] as const) {
        assert.equal(kernels.viterbi(scores, start, length, wanted, within, scratch, tags, totals), expected.length);
        expected.forEach((sequence, n) => {
          assert.deepEqual([...tags.subarray(n * length, (n + 1) * length)], sequence.tags);
          close([totals[n]!], [sequence.score]);
        });
      }
    });

  it('rejects an allocation that does not fit its memory', () => {
    const small = new ParserKernels(1000);
    assert.throws(() => small.floats(1 << 20), {
      name: 'RangeError',
      message: 'parser kernels: memory of 131072 bytes is full, 4194304 more were requested',
    });
  });
});
