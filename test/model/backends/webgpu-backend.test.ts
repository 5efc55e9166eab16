import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { runProgram } from '../../../src/model/backends/kernels/webgpu-program.js';
import { type Backend, useBackend } from '../../../src/model/backends/use-backend.js';
import { hasKernel } from '../../../src/model/ops/custom-kernel.js';
import { deformableAttention } from '../../../src/model/ops/deformable-attention.js';
import { Scope, zeros } from '../../../src/model/parameter-scope.js';
import { tiny } from '../../../src/model/presets.js';
import { type LayerOutput, RlipV2 } from '../../../src/model/rlip-v2.js';
import { initializeWeights } from '../../../src/model/weights/initialize-weights.js';
import { sceneGraphLines } from '../../../src/sources/scene-graph-lines.js';
import { TrainingData } from '../../../src/training/data/training-data.js';
import { pairLosses, totalLoss } from '../../../src/training/loss/pair-losses.js';
import type { PairTargets } from '../../../src/training/loss/pair-targets.js';
import { AdamW, officialAdamW } from '../../../src/training/optimizer/adam-w.js';
import { Ema } from '../../../src/training/optimizer/ema.js';
import { clipFactor, gradientNorm } from '../../../src/training/optimizer/gradient-norm.js';
import { dataOptions } from '../../../src/training/settings/data-options.js';
import { rlipSettings } from '../../../src/training/settings/rlip-settings.js';
import { trainModel } from '../../../src/training/train-model.js';
import { deformableAttentionTests } from '../../support/deformable-attention-cases.js';
import { temporaryFolder } from '../../support/folders.js';
import { assertAgree, assertClose, assertGradients, randomTensors } from '../../support/tensors.js';
import { tinyRlip, writeTrainingScenes } from '../../support/training-scenes.js';
import { webgpuOrSkip } from '../../support/webgpu.js';

const texts = {
  ids: Int32Array.from([0, 70, 71, 2, 0, 80, 2, 1, 0, 90, 91, 2, 0, 99, 2, 1, 0, 5, 2, 1]),
  texts: 5,
  tokens: 4,
};
/** Number of objects, the last of which is padding; two relations follow. */
const OBJECTS = 3;

const targets: PairTargets = {
  subjectBoxes: Float32Array.from({ length: 12 }, (_, k) => 0.2 + ((k * 7) % 5) / 10),
  objectBoxes: Float32Array.from({ length: 12 }, (_, k) => 0.1 + ((k * 3) % 7) / 12),
  subjectLabels: Int32Array.from([0, 1, 0]),
  objectLabels: Int32Array.from([1, 1, 0]),
  relations: Float32Array.from([1, 0, 0, 1, 1, 1]),
};

/** Runs a tiny tagger on an image. @returns its outputs, its loss and the gradient of each trained weight */
async function trainingPass() {
  const model = new RlipV2(tiny.tagger);
  initializeWeights(model.parameters, 1);
  const images = { pixels: randomTensors(5)([1, 64, 96, 3]) as tf.Tensor4D, sizes: [{ height: 64, width: 96 }] };
  const trained = [...model.parameters.values()].filter(({ trained }) => trained);
  let last: LayerOutput | undefined;
  const { value, grads } = tf.variableGrads(
    () => {
      const encoded = model.encode(images, { vectors: model.encodeTexts(texts), objectCount: OBJECTS });
      const layers = model.decode(encoded, { groups: [targets] });
      last = layers.at(-1)!;
      for (const tensor of Object.values(last)) tf.keep(tensor as tf.Tensor);
      return totalLoss(layers.map((layer) => pairLosses(layer, [targets], { givenPairs: true, qualityLabels: false })));
    },
    trained.map(({ variable }) => variable),
  );
  const outputs: Record<string, tf.TypedArray> = {};
  const gradients: Record<string, tf.TypedArray> = {};
  for (const [name, tensor] of Object.entries(last!)) outputs[name] = await (tensor as tf.Tensor).data();
  // Weights that the loss does not depend on have no gradient.
  for (const { name, variable } of trained)
    if (grads[variable.name]) gradients[name] = await grads[variable.name]!.data();
  const loss = (await value.data())[0]!;
  tf.dispose([images.pixels, last as unknown as tf.TensorContainer, value, grads]);
  model.dispose();
  return { outputs, gradients, loss };
}

/** Trains a tiny RLIPv2 for two steps. @returns loss and gradient norm of each step, and the loss of the averaged weights */
async function trainRlip(backend: Backend, scenes: { readonly lines: string; readonly images: string }) {
  const modelOptions = { ...tinyRlip.modelOptions, dropout: 0.1 };
  const settings = rlipSettings({ ...tinyRlip, modelOptions, steps: 2, batchSize: 1 });
  const { signal } = new AbortController();
  const open = () =>
    TrainingData.open(
      [{ source: sceneGraphLines({ sceneGraphs: scenes.lines }), images: scenes.images }],
      dataOptions(settings),
      signal,
    );
  const losses: number[] = [];
  await trainModel({
    settings,
    data: await open(),
    validation: await open(),
    out: join(temporaryFolder(), 'run'),
    config: { prefetch: 1, readers: 0, checkpointEvery: 2, keepCheckpoints: 1, evaluateEvery: 2 },
    backend,
    onProgress: (event) => {
      if (event.event === 'step') losses.push(event.loss, event.gradientNorm);
      if (event.event === 'evaluation') losses.push(event.loss);
    },
  });
  return losses;
}

/** Computes tensors twice on webgpu, with the same bits, and then on wasm, with which they agree. */
async function assertLikeWasm(compute: () => readonly tf.Tensor[]) {
  const results = () => Promise.all(compute().map(async (made) => ({ shape: made.shape, numbers: await made.data() })));
  const ours = await results();
  assert.deepEqual(await results(), ours);
  await useBackend('wasm', { threads: 1 });
  for (const [k, { shape, numbers }] of (await results()).entries())
    await assertAgree(tf.tensor(ours[k]!.numbers, ours[k]!.shape), tf.tensor(numbers, shape));
}

/** WGSL of a program that computes a − b + c − d. */
const DIFFERENCE = `
fn main(index: i32) {
  if (index == 0) { result[0] = f32(uniforms.a - uniforms.b) + uniforms.c - uniforms.d; }
}
`;

describe('the webgpu backend', () => {
  // Each kernel is compiled on first use.
  before(async function () {
    await webgpuOrSkip(this);
  });
  beforeEach(async () => {
    await useBackend('webgpu');
  });
  after(() => useBackend('wasm', { threads: 1 }));

  describe('kernels', () => {
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());

    it('are registered', () => {
      assert.equal(tf.getBackend(), 'webgpu');
      assert.ok(hasKernel('RelflowDeformableAttention'));
      assert.ok(hasKernel('RelflowDeformableAttentionGradient'));
    });

    deformableAttentionTests();

    it('give the same bits for the gradients of deformable attention each time', async () => {
      const random = randomTensors(3);
      const inputs = [random([1, 6, 2, 4]), tf.randomUniform([1, 99, 2, 1, 4, 2], 0, 1, 'float32', 1)];
      const [weights, factors] = [random([1, 99, 2, 1, 4]), random([1, 99, 8])];
      const gradients = async () => {
        const { grads } = tf.valueAndGrads((...[v, l, w]: tf.Tensor[]) => {
          const [value, locations, shares] = [v as tf.Tensor4D, l as tf.Tensor<tf.Rank.R6>, w as tf.Tensor5D];
          const read = deformableAttention(value, [{ height: 2, width: 3 }], locations, shares);
          return tf.sum(tf.mul(read, factors));
        })([...inputs, weights]);
        return Promise.all(grads.map((gradient) => gradient.data()));
      };
      assert.deepEqual(await gradients(), await gradients());
    });

    it('run deformable attention on more threads than fit along one axis', async () => {
      const queries = 17_000;
      const value = randomTensors(3)([1, 1, 8, 32]) as tf.Tensor4D;
      const locations = tf.fill([1, queries, 8, 1, 1, 2], 0.5) as tf.Tensor<tf.Rank.R6>;
      const read = (v: tf.Tensor) =>
        deformableAttention(v as tf.Tensor4D, [{ height: 1, width: 1 }], locations, tf.ones([1, queries, 8, 1, 1]));
      const [values, each] = [await value.data(), await read(value).data()];
      assert.equal(each.length, queries * 256);
      for (const query of [0, 8191, 16_383, 16_384, queries - 1])
        assert.deepEqual(each.slice(256 * query, 256 * (query + 1)), values);
      const gradients = await tf
        .grad((v) => tf.sum(read(v)))(value)
        .data();
      assert.deepEqual(new Set(gradients), new Set([queries]));
    });

    it('give the same bits for a long product of small matrices each time', async () => {
      const [a, b] = [randomTensors(3)([40, 5000]), randomTensors(4)([5000, 30])] as [tf.Tensor2D, tf.Tensor2D];
      const [once, again] = [await tf.matMul(a, b).data(), await tf.matMul(a, b).data()];
      assert.deepEqual(once, again);
      const [x, y] = [await a.data(), await b.data()];
      let sum = 0;
      for (let k = 0; k < 5000; k++) sum += x[7 * 5000 + k]! * y[k * 30 + 11]!;
      assert.ok(Math.abs(once[7 * 30 + 11]! - sum) < 1e-3);
    });

    it('give NaN for every sum of gradients if one gradient is not finite', async () => {
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const factors = tf.tensor3d(
          Float32Array.from({ length: 300 }, (_, k) => (k === 170 ? odd : 1)),
          [1, 300, 1],
        );
        const locations = tf.fill([1, 300, 1, 1, 1, 2], 0.5) as tf.Tensor<tf.Rank.R6>;
        const weights = tf.ones([1, 300, 1, 1, 1]) as tf.Tensor5D;
        const read = (v: tf.Tensor) =>
          tf.mul(deformableAttention(v as tf.Tensor4D, [{ height: 1, width: 2 }], locations, weights), factors);
        assert.ok(
          [
            ...(await tf
              .grad(read)(tf.ones([1, 2, 1, 1]))
              .data()),
          ].every(Number.isNaN),
        );
      }
    });

    it('gather rows and sum segments', async () => {
      const x = randomTensors(3)([9, 5]);
      const rows = (await x.array()) as number[][];
      const summed = tf.unsortedSegmentSum(x, tf.tensor1d([0, 2, 2, -1, 9, 0, 1, 1, 2], 'int32'), 4);
      const sum = (...list: number[]) => rows[0]!.map((_, k) => list.reduce((all, row) => all + rows[row]![k]!, 0));
      await assertAgree(summed, tf.tensor2d([sum(0, 5), sum(6, 7), sum(1, 2, 8), [0, 0, 0, 0, 0]]));
      await assertGradients((y) => tf.gather(y!, tf.tensor1d([8, 0, 3, 3, 1], 'int32')), [x]);
    });

    it('pad five and six axes, and add more arrays than a program can read', async () => {
      const x = randomTensors(3)([2, 3, 1, 2, 2]);
      const padded = tf.pad(x, [
        [0, 0],
        [1, 0],
        [0, 2],
        [0, 0],
        [0, 1],
      ]);
      assert.deepEqual(padded.shape, [2, 4, 3, 2, 3]);
      assert.deepEqual(await tf.slice(padded, [0, 1, 0, 0, 0], x.shape).data(), await x.data());
      assertClose(await tf.sum(tf.abs(padded)).data(), await tf.sum(tf.abs(x)).data(), 1e-4);
      const arrays = Array.from({ length: 40 }, (_, k) => tf.fill([3], k));
      assert.deepEqual([...(await tf.addN(arrays).data())], [780, 780, 780]);
    });

    it('compute the gradient of a filter like wasm, with the same bits each time', async () => {
      // Image, filter, stride: sizes that fill no tile, several tiles and parts, and a window that is not square.
      const cases: [number[], number[], number][] = [
        [[2, 9, 7, 3], [3, 3, 3, 5], 2],
        [[1, 40, 36, 66], [1, 1, 66, 70], 1],
        [[1, 34, 33, 8], [3, 3, 8, 68], 1],
        [[1, 12, 11, 4], [3, 2, 4, 4], 2],
      ];
      await assertLikeWasm(() =>
        cases.map(([image, filter, stride], k) => {
          const [x, w] = [randomTensors(k)(image) as tf.Tensor4D, randomTensors(9)(filter) as tf.Tensor4D];
          const convolve = (filter: tf.Tensor) => tf.conv2d(x, filter as tf.Tensor4D, stride, 'valid');
          return tf.grad(convolve)(w, randomTensors(7)(convolve(w).shape));
        }),
      );
    });

    it('multiply transposed matrices like wasm, with the same bits each time', async () => {
      // Shapes of both factors, and which are transposed: batches, one matrix for all, long sums and uneven sizes.
      const cases: [number[], number[], boolean, boolean][] = [
        [[3, 70, 33], [3, 65, 33], false, true],
        [[2, 700, 66], [2, 700, 40], true, false],
        [[1, 20, 90], [5, 50, 20], true, true],
        [[4, 40, 8], [1, 36, 8], false, true],
        [[5, 33], [70, 5], true, true],
        [[2, 3, 40, 3], [2, 3, 40, 3], false, true],
      ];
      await assertLikeWasm(() =>
        cases.map(([a, b, transposeA, transposeB], k) =>
          tf.matMul(randomTensors(k)(a), randomTensors(9)(b), transposeA, transposeB),
        ),
      );
    });

    it('update, clip and average weights like the wasm backend, with the same bits each time', async () => {
      const steps = async () => {
        const scope = new Scope();
        const [matrix, bias] = [scope.parameter('m', [70, 100], zeros), scope.parameter('b', [3], zeros)];
        matrix.set((await randomTensors(1)([7000]).data()) as Float32Array);
        bias.set(Float32Array.from([1, -1, 0]));
        const parameters = [...scope.parameters.values()];
        const adam = new AdamW(parameters, { ...officialAdamW, learningRate: 0.1, weightDecay: 0.5 });
        const average = new Ema(parameters, 0.9);
        const found: number[] = [];
        for (const seed of [2, 3]) {
          const random = randomTensors(seed);
          const gradients = { [matrix.variable.name]: random([70, 100]), [bias.variable.name]: random([3]) };
          const norm = await gradientNorm(gradients);
          adam.apply(gradients, 0.5, clipFactor(norm, officialAdamW.maxGradientNorm));
          average.update(adam.steps);
          found.push(norm, ...(await matrix.values()), ...(await bias.values()));
        }
        for (const values of (await average.state()).values()) found.push(...values);
        adam.dispose();
        average.dispose();
        tf.dispose(parameters.map(({ variable }) => variable));
        return found;
      };
      for (const name of ['RelflowAdamW', 'RelflowGlobalNorm', 'RelflowMovingAverage'])
        assert.ok(hasKernel(name), name);
      const ours = await steps();
      assert.deepEqual(await steps(), ours);
      await useBackend('wasm', { threads: 1 });
      const theirs = await steps();
      assert.ok(Math.abs(ours[0]! - theirs[0]!) < 1e-4 * theirs[0]!);
      assertClose(ours, theirs, 1e-4);
    });

    it('pass uniforms by name, whatever their order', async () => {
      const program = { name: 'difference', code: DIFFERENCE, inputs: {}, threads: 1, shape: [1] };
      const difference = async (uniforms: Record<string, number>, floats: Record<string, number>) => {
        const { dataId } = runProgram({ ...program, uniforms, floats });
        return (await (tf.backend() as tf.KernelBackend).read(dataId))[0];
      };
      assert.equal(await difference({ a: 8, b: 3 }, { c: 0.5, d: 0.25 }), 5.25);
      assert.equal(await difference({ b: 3, a: 8 }, { d: 0.25, c: 0.5 }), 5.25);
      assert.throws(() => runProgram({ ...program, code: `${DIFFERENCE} `, uniforms: { a: 8, b: 3 } }), {
        message: "webgpu: two programs are named 'difference', expected one code per name",
      });
    });

    it('reject a synchronous read with advice', () => {
      assert.throws(() => tf.add(tf.ones([2000]), 1).dataSync(), {
        code: 'no-sync-read',
        message: 'backend webgpu: dataSync() cannot read from a GPU, use data()',
      });
    });
  });

  it('ends the process with the reason after an invalid call, before any number is read', async () => {
    const script = `
      import * as tf from '@tensorflow/tfjs-core';
      import { useBackend } from './src/model/backends/use-backend.ts';
      await useBackend('webgpu');
      tf.backend().device.createShaderModule({ code: 'no WGSL' });
      console.log((await tf.add(tf.ones([2000]), 1).data())[0]);
    `;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
      execFile(process.execPath, args, (error, out, err) => resolve({ code: error?.code, stdout: out, stderr: err })),
    );
    assert.equal(code, 1);
    // Dawn prints the error to stdout too.
    assert.doesNotMatch(stdout, /^2$/m);
    assert.match(stderr, /backend webgpu: GPUValidationError: Error while parsing WGSL/);
  });

  it('releases all memory', async () => {
    const once = async () => {
      const [v, l, w] = [tf.ones([1, 6, 2, 4]), tf.zeros([1, 9, 2, 1, 4, 2]), tf.ones([1, 9, 2, 1, 4])];
      const gradient = tf.grad((x: tf.Tensor) =>
        tf.sum(
          deformableAttention(
            x as tf.Tensor4D,
            [{ height: 2, width: 3 }],
            l as tf.Tensor<tf.Rank.R6>,
            w as tf.Tensor5D,
          ),
        ),
      )(v);
      await gradient.data();
      tf.dispose([v, l, w, gradient]);
      return [tf.memory().numTensors, tf.backend().numDataIds()];
    };
    const first = await once();
    for (let k = 0; k < 5; k++) assert.deepEqual(await once(), first);
  });

  it('gives a tiny tagger the same outputs, loss and gradients as wasm', async () => {
    const ours = await trainingPass();
    await useBackend('wasm', { threads: 1 });
    const theirs = await trainingPass();
    for (const [name, values] of Object.entries(theirs.outputs)) assertClose(ours.outputs[name]!, values, 1e-4);
    assert.ok(Math.abs(ours.loss - theirs.loss) <= 1e-5 * theirs.loss, `loss ${ours.loss}, expected ${theirs.loss}`);
    for (const [name, values] of Object.entries(theirs.gradients)) {
      const norm = Math.hypot(...values);
      const difference = Math.hypot(...values.map((value, k) => value - ours.gradients[name]![k]!));
      // The gradient of a key's bias is pure rounding error, because softmax is invariant to it.
      assert.ok(difference <= 1e-3 * norm + 1e-6, `${name}: difference ${difference}, norm ${norm}`);
    }
  });

  it('trains a tiny RLIPv2 like wasm, with the same numbers each time', async function () {
    // A software device takes half a minute per step.
    this.timeout(900_000);
    const scenes = await writeTrainingScenes(temporaryFolder(), 4);
    const ours = await trainRlip(await useBackend('webgpu'), scenes);
    assert.equal(ours.length, 5);
    assert.deepEqual(await trainRlip(await useBackend('webgpu'), scenes), ours);
    const theirs = await trainRlip(await useBackend('wasm', { threads: 1 }), scenes);
    for (const [k, value] of theirs.entries())
      assert.ok(Math.abs(ours[k]! - value) <= 1e-4 * value, `number ${k} is ${ours[k]}, expected ${value}`);
  });
});
