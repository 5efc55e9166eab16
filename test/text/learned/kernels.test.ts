import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kernels } from '../../../src/text/learned/kernels/kernels.js';
import { Random } from '../../../src/text/learning/random.js';

const kernels = new Kernels(4 << 20);
const random = new Random(1);
const fill = (values: Float32Array) => values.map(() => random.normal());

/** An array in the kernels' memory with random numbers. */
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

describe('the parser’s kernels', () => {
  for (const [m, n, k] of [
    [1, 8, 1],
    [4, 16, 7],
    [11, 24, 33],
    [6, 184, 96],
  ] as const)
    it(`multiply ${m} × ${k} by ${k} × ${n}, plain and transposed`, () => {
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

  it('scan as the recurrence is written', () => {
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

  it('add, rectify, take the largest, sum products', () => {
    const [a, b, to] = [numbers(16), numbers(16), kernels.floats(8)];
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
    a.set(before);
    kernels.addProduct(a, 0, b, 0, b, 8, 8);
    close(
      a.slice(0, 8),
      before.slice(0, 8).map((value, k) => value + b[k]! * b[k + 8]!),
    );
    kernels.largest(to, 0, b, 0, 2, 8, 0);
    close(
      to,
      b.slice(0, 8).map((value, k) => Math.max(value, b[k + 8]!, 0)),
    );
    kernels.largest(to, 0, b, 0, 0, 8, -5);
    close(to, new Float32Array(8).fill(-5));
    const product = kernels.dot(b, 0, b, 8, 8);
    close([product], [b.slice(0, 8).reduce((sum, value, k) => sum + value * b[k + 8]!, 0)]);
  });

  it('say that their memory is full', () => {
    const small = new Kernels(1000);
    assert.throws(() => small.floats(1 << 20), { name: 'RangeError', message: 'memory of the kernels is full' });
  });

  it('are what `npm run build:kernels` makes of their source', function () {
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), 'relflow-kernels-'));
    try {
      const built = join(folder, 'kernels.wasm');
      const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
      const [, ...options] = scripts['build:kernels:parser']!.split(' ').slice(0, -1);
      execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', ...options, built]);
      assert.deepEqual(readFileSync(built), readFileSync('src/text/learned/kernels/kernels.wasm'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
