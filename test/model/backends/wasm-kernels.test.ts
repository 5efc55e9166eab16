import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { linear, referenceLinear } from '../../../src/model/layers/linear.js';
import { gelu, referenceGelu } from '../../../src/model/ops/gelu.js';
import { imageToColumns, referenceImageToColumns } from '../../../src/model/ops/image-to-columns.js';
import { layerNorm, referenceLayerNorm } from '../../../src/model/ops/layer-norm.js';
import { gradientNorm } from '../../../src/training/optimizer/gradient-norm.js';
import { deformableAttentionTests } from '../../support/deformable-attention-cases.js';
import { assertAgree, assertGradients, randomTensors } from '../../support/tensors.js';

const random = randomTensors(11);

/** Computes a matrix product from its definition, in double precision. */
function referenceProduct(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor {
  const [x, y] = [a.arraySync(), b.arraySync()] as [number[][], number[][]];
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const n = transposeB ? b.shape[0]! : b.shape[1]!;
  const at = (i: number, j: number) => {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += (transposeA ? x[p]![i]! : x[i]![p]!) * (transposeB ? y[j]![p]! : y[p]![j]!);
    return sum;
  };
  return tf.tensor(
    Float32Array.from({ length: m * n }, (_, c) => at(Math.floor(c / n), c % n)),
    [m, n],
  );
}

for (const threads of [1, 2])
  describe(`kernels of the wasm backend on ${threads} ${threads === 1 ? 'thread' : 'threads'}`, () => {
    before(async () => {
      assert.equal((await useBackend('wasm', { threads })).threads, threads);
      // Threads start in the background; kernels run on one thread until all are ready.
      await new Promise((resolve) => setTimeout(resolve, threads > 1 ? 500 : 0));
    });
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());

    for (const [m, k, n] of [
      [1, 1, 1],
      [5, 3, 7],
      [6, 256, 8],
      [97, 300, 263],
      [31, 257, 513],
      [200, 9, 3],
    ] as const)
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const)
        it(`multiply ${transposeA ? 'transposed ' : ''}${m} × ${k} by ${transposeB ? 'transposed ' : ''}${k} × ${n}`, async () => {
          const a = random(transposeA ? [k, m] : [m, k]);
          const b = random(transposeB ? [n, k] : [k, n]);
          await assertAgree(tf.matMul(a, b, transposeA, transposeB), referenceProduct(a, b, transposeA, transposeB));
        });

    it('multiply batches, a batch by one matrix, and empty matrices', async () => {
      const [a, b, one] = [random([3, 2, 13, 40]), random([3, 2, 40, 9]), random([1, 1, 40, 9])];
      const each = (x: tf.Tensor, y: tf.Tensor) =>
        tf.stack(
          tf
            .unstack(tf.reshape(x, [6, 13, 40]))
            .map((part, k) =>
              referenceProduct(
                part,
                tf.reshape(tf.slice(tf.reshape(y, [-1, 40, 9]), [y.size > 360 ? k : 0, 0, 0], [1, 40, 9]), [40, 9]),
                false,
                false,
              ),
            ),
        );
      await assertAgree(tf.matMul(a, b), tf.reshape(each(a, b), [3, 2, 13, 9]));
      await assertAgree(tf.matMul(a, one), tf.reshape(each(a, one), [3, 2, 13, 9]));
      assert.deepEqual([...(await tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).data())], [0, 0, 0, 0, 0, 0]);
      assert.deepEqual(tf.matMul(tf.zeros([0, 4]), tf.zeros([4, 3])).shape, [0, 3]);
    });

    it('give an element of a product the same bytes whatever the number of rows and columns', async () => {
      const [a, b] = [random([37, 300]), random([300, 41])];
      const whole = await tf.matMul(a, b).array();
      for (const rows of [1, 2, 6, 36])
        for (const columns of [1, 8, 16, 40]) {
          const part = tf.matMul(tf.slice(a, [0, 0], [rows, 300]), tf.slice(b, [0, 0], [300, columns]));
          const expected = (whole as number[][]).slice(0, rows).map((row) => row.slice(0, columns));
          assert.deepEqual(await part.array(), expected, `${rows} × ${columns}`);
        }
    });

    it('add a bias and apply ReLU', async () => {
      const [a, b, bias] = [random([50, 33]), random([33, 21]), random([21])];
      const product = tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'relu' });
      await assertAgree(product, tf.relu(tf.add(referenceProduct(a, b, false, false), bias)));
    });

    it('compute layer norm and its gradients like the reference implementation', async () => {
      for (const [rows, width] of [
        [1, 1],
        [7, 5],
        [300, 256],
      ] as const) {
        const inputs: [tf.Tensor, tf.Tensor, tf.Tensor] = [random([rows, width]), random([width]), random([width])];
        await assertAgree(layerNorm(...inputs, 1e-5), referenceLayerNorm(...inputs, 1e-5));
        const weights = random([rows, width]);
        const gradients = (f: typeof layerNorm) =>
          tf.grads((x: tf.Tensor, g: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(f(x, g, b, 1e-5), weights)))([
            ...inputs,
          ]);
        const [fused, reference] = [gradients(layerNorm), gradients(referenceLayerNorm)];
        for (let k = 0; k < 3; k++) if (width > 1) await assertAgree(fused[k]!, reference[k]!, 3e-5);
      }
      await assertGradients((x, g, b) => layerNorm(x!, g!, b!, 1e-5), [random([9, 13]), random([13]), random([13])]);
    });

    it('compute softmax and its gradient like the reference implementation, for extreme inputs too', async () => {
      const x = random([40, 37], 10);
      const exponentials = tf.exp(tf.sub(x, tf.max(x, -1, true)));
      await assertAgree(tf.softmax(x), tf.div(exponentials, tf.sum(exponentials, -1, true)));
      assert.deepEqual([...(await tf.softmax(tf.tensor1d([-1e9, 5, 5, -1e9, -1e9])).data())], [0, 0.5, 0.5, 0, 0]);
      assert.deepEqual([...(await tf.softmax(tf.tensor1d([1e30, -1e30])).data())], [1, 0]);
      assert.ok(Number.isNaN((await tf.softmax(tf.tensor1d([Number.NaN, 1, 1, 1])).data())[0]));
      await assertGradients((y) => tf.softmax(y!), [random([5, 7])]);
    });

    it('compute GELU and its gradient like the reference implementation', async () => {
      const x = random([41, 33], 3);
      await assertAgree(gelu(x), referenceGelu(x));
      const gradient = (f: typeof gelu) => tf.grad((y: tf.Tensor) => tf.sum(f(y)))(x);
      await assertAgree(gradient(gelu), gradient(referenceGelu));
      await assertGradients((y) => gelu(y!), [random([11])]);
    });

    for (const activation of ['linear', 'relu'] as const)
      it(`compute linear layers with activation ${activation} and their gradients like the reference implementation`, async () => {
        const inputs = [random([3, 50, 33]), random([33, 21]), random([21])] as const;
        await assertAgree(linear(...inputs, activation), referenceLinear(...inputs, activation));
        const weights = random([3, 50, 21]);
        const gradients = (f: typeof referenceLinear) =>
          tf.grads((x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(f(x, w, b, activation), weights)))([
            ...inputs,
          ]);
        const [fused, reference] = [gradients(linear), gradients(referenceLinear)];
        for (let k = 0; k < 3; k++) await assertAgree(fused[k]!, reference[k]!, 3e-5);
      });

    for (const [height, width, channels, window, stride, padding] of [
      [7, 9, 5, 3, 1, 1],
      [8, 6, 3, 3, 2, 1],
      [9, 8, 12, 3, 2, 1],
      [5, 5, 4, 1, 1, 0],
      [6, 11, 4, 5, 3, 2],
    ] as const)
      it(`copy windows of ${window} × ${window} with stride ${stride} from ${height} × ${width} like the reference implementation, and compute the gradient`, async () => {
        const x = random([2, height, width, channels]) as tf.Tensor4D;
        const options = { window, stride, padding };
        const expected = referenceImageToColumns(x, options);
        assert.deepEqual(await imageToColumns(x, options).data(), await expected.data());
        const weights = random(expected.shape);
        const gradient = (f: typeof imageToColumns) =>
          tf.grad((y: tf.Tensor) => tf.sum(tf.mul(f(y as tf.Tensor4D, options), weights)))(x);
        await assertAgree(gradient(imageToColumns), gradient(referenceImageToColumns));
      });

    it('compute the global norm of several arrays', async () => {
      const arrays = { a: random([300, 7]), b: random([1]), c: random([5, 3, 3]) };
      const all = Object.values(arrays).flatMap((array) => [...array.dataSync()]);
      const expected = Math.sqrt(all.reduce((sum, value) => sum + value * value, 0));
      assert.ok(Math.abs((await gradientNorm(arrays)) - expected) < 1e-6 * expected);
      assert.equal(await gradientNorm({}), 0);
      assert.ok(Number.isNaN(await gradientNorm({ a: tf.tensor1d([1, Number.NaN]) })));
    });

    for (const [shape, axes] of [
      [[7], [0]],
      [[5, 3], [1]],
      [[33, 19], [0]],
      [[3, 41, 17], [1]],
      [
        [2, 35, 4, 9],
        [1, 3],
      ],
      [
        [2, 3, 5, 7],
        [0, 1, 2, 3],
      ],
      [[4, 6], []],
      [[0, 5], [0]],
      [[5, 0], [1]],
      [[300, 257], [0]],
      [[257, 300], [1]],
    ] as const)
      it(`compute sums and means of [${shape}] over [${axes}]`, async () => {
        const x = random(shape);
        const values = await x.data();
        const kept = shape.map((size, axis): number => ((axes as readonly number[]).includes(axis) ? 1 : size));
        const sums = new Array<number>(kept.reduce((all, size) => all * size, 1)).fill(0);
        for (let at = 0; at < values.length; at++) {
          let [rest, to, step] = [at, 0, 1];
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            if (kept[axis] !== 1) to += (rest % shape[axis]!) * step;
            rest = Math.floor(rest / shape[axis]!);
            step *= kept[axis]!;
          }
          sums[to]! += values[at]!;
        }
        await assertAgree(tf.sum(x, [...axes], true), tf.tensor(sums, kept), 1e-6);
        const count = values.length / Math.max(1, sums.length);
        if (values.length > 0)
          await assertAgree(
            tf.mean(x, [...axes], true),
            tf.tensor(
              sums.map((sum) => sum / count),
              kept,
            ),
            1e-6,
          );
      });

    it('keep small numbers next to large ones in sums', async () => {
      const values = new Float32Array(2 ** 20).fill(2 ** -10);
      values[0] = 2 ** 15;
      assert.equal((await tf.sum(tf.tensor1d(values)).data())[0], Math.fround(2 ** 15 + 2 ** 10 - 2 ** -10));
    });

    it('gather rows and sum segments', async () => {
      const x = random([9, 5]);
      const indices = tf.tensor1d([8, 0, 3, 3, 1], 'int32');
      const rows = x.arraySync() as number[][];
      assert.deepEqual(
        tf.gather(x, indices).arraySync(),
        [8, 0, 3, 3, 1].map((row) => rows[row]!),
      );
      const summed = tf.unsortedSegmentSum(x, tf.tensor1d([0, 2, 2, -1, 9, 0, 1, 1, 2], 'int32'), 4);
      const sum = (...list: number[]) => rows[0]!.map((_, k) => list.reduce((all, row) => all + rows[row]![k]!, 0));
      await assertAgree(summed, tf.tensor2d([sum(0, 5), sum(6, 7), sum(1, 2, 8), [0, 0, 0, 0, 0]]));
      await assertGradients((y) => tf.gather(y!, indices), [x]);
    });

    for (const [height, width, inputs, outputs, window, stride] of [
      [7, 9, 5, 6, 3, 1],
      [8, 6, 3, 4, 3, 2],
      [6, 5, 7, 3, 1, 1],
      [9, 9, 2, 9, 7, 2],
    ] as const)
      it(`compute the gradients of a ${window} × ${window} convolution with stride ${stride}`, () =>
        assertGradients(
          (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, 'valid'),
          [random([2, height, width, inputs]), random([window, window, inputs, outputs])],
        ));

    deformableAttentionTests();
  });

describe('kernels of the wasm backend', () => {
  it('give the same bytes for every number of threads', async () => {
    const [a, b] = [random([130, 300]), random([300, 70])].map((tensor) => tensor.arraySync() as number[][]);
    const bytes = async (threads: number) => {
      await useBackend('wasm', { threads });
      await new Promise((resolve) => setTimeout(resolve, 300));
      return tf.tidy(() => tf.matMul(tf.tensor2d(a!), tf.tensor2d(b!)).dataSync());
    };
    assert.deepEqual(await bytes(2), await bytes(1));
  });
});
