/**
 * Compares the two products of f32 matrices, the parser's (src/parser/neural/kernels/matrices.as.ts) and the model's
 * (src/model/backends/kernels/gemm.as.ts), on shapes of both, one thread:
 *
 *     npm run bench:products
 */
import { readFileSync } from 'node:fs';

interface Exports {
  gemm(...numbers: number[]): void;
  matmul(...numbers: number[]): void;
}

/** Rows, columns and inner length of a product; whether the first matrix is transposed. */
const shapes: readonly (readonly [name: string, m: number, n: number, k: number, isTransposed?: boolean])[] = [
  ['parser, a new word', 1, 128, 96],
  ['student, context', 700, 256, 128],
  ['student, gradient', 128, 256, 700, true],
  ['student, tags', 700, 8, 64],
  ['teacher, qkv', 1000, 1152, 384],
  ['model, attention', 1000, 256, 256],
  ['model, first stage', 4000, 384, 96],
];
const ROUNDS = 20;
const pages = 1000;
const start = 1 << 20;

const parser = instantiate('../src/parser/neural/kernels/parser-kernels.wasm');
const model = instantiate('../src/model/backends/kernels/model-kernels.wasm');

console.log('m × n × k                              parser, model: GFLOP/s   time of the model’s / the parser’s');
for (const [name, m, n, k, isTransposed = false] of shapes) {
  const [row, column] = isTransposed ? [1, m] : [k, 1];
  const [p, q] = [arrays(parser.memory, m, n, k), arrays(model.memory, m, n, k)];
  const products = [
    () => parser.exports.gemm(m, n, k, p.a, row, column, p.b, p.c, p.scratch),
    () => model.exports.matmul(1, m, n, k, q.a, 0, row, column, q.b, 0, n, 1, q.c, 1, q.scratch, 0, 1),
  ] as const;
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  // In turns, as other work on the machine slows both.
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, product] of products.entries())
      best[index] = Math.min(best[index]!, milliseconds(product, 2 * m * n * k));
  const speeds = best.map((time) => ((2 * m * n * k) / time / 1e6).toFixed(1).padStart(5));
  const ratio = (best[1]! / best[0]!).toFixed(2);
  console.log(`${name.padEnd(20)}${`${m} × ${n} × ${k}`.padEnd(20)}${speeds.join('  ')}   ${ratio}`);
}

function instantiate(path: string): { readonly exports: Exports; readonly memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: pages });
  const module = new WebAssembly.Module(readFileSync(new URL(path, import.meta.url)));
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return { exports: instance.exports as unknown as Exports, memory };
}

/** Returns the addresses of both factors, filled with numbers, of the product and of scratch memory. */
function arrays({ buffer }: WebAssembly.Memory, m: number, n: number, k: number) {
  const [a, b] = [start, start + 4 * m * k];
  const [c, scratch] = [b + 4 * k * n, b + 4 * k * n + 4 * m * n];
  new Float32Array(buffer, a, m * k + k * n).forEach((_, index, values) => {
    values[index] = Math.sin(index);
  });
  new Float32Array(buffer, c, m * n).fill(0);
  return { a, b, c, scratch };
}

/** Returns the mean time of enough calls to be measured. */
function milliseconds(product: () => void, operations: number): number {
  const calls = Math.ceil(2e7 / operations);
  const started = performance.now();
  for (let call = 0; call < calls; call++) product();
  return (performance.now() - started) / calls;
}
