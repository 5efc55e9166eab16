import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { normal, Parameter } from '../../../src/model/parameter-scope.js';
import type { GpuBackend } from '../../../src/model/recording/webgpu/webgpu-device.js';
import { AdamW, officialAdamW } from '../../../src/training/optimizer/adam-w.js';
import { Ema } from '../../../src/training/optimizer/ema.js';
import { clipFactor, gradientNorm } from '../../../src/training/optimizer/gradient-norm.js';
import { ReplayedUpdate } from '../../../src/training/recorded/replayed-update.js';
import { webgpuOrSkip } from '../../support/webgpu.js';

const OPTIONS = { ...officialAdamW, learningRate: 0.01, textLearningRate: 0.003, backboneLearningRate: 0.001 };

/** More arrays than a program squares, of which one has more than a workgroup's elements. */
const SIZES = [5, 20_000, 1, 300, 7, 8, 9, 10, 11];
const NAMES = SIZES.map((_, k) => `${['backbone', 'text_encoder', 'heads'][k % 3]}.${k}`);

const numbers = (size: number, seed: number) =>
  Float32Array.from({ length: size }, (_, k) => Math.sin(seed + 1.7 * k) * (1 + (k % 5)));

/** Parameters with an optimizer and an average, as a training has them. */
function training(options = OPTIONS) {
  const parameters = SIZES.map((size, k) => new Parameter(NAMES[k]!, [size], 'plain', true, normal(1)));
  for (const [k, parameter] of parameters.entries()) parameter.set(numbers(parameter.size, k));
  const optimizer = new AdamW(parameters, options);
  const ema = new Ema(parameters, 0.9);
  const state = async () => {
    const weights = await Promise.all(
      parameters.map(async ({ name, variable }) => [name, [...(await variable.data())]] as const),
    );
    const moments = [...(await optimizer.state())].map(
      ([name, { first, second }]) => [name, [...first], [...second]] as const,
    );
    const averages = [...(await ema.state())].map(([name, values]) => [name, [...values]] as const);
    return { steps: optimizer.steps, weights, moments, averages };
  };
  const dispose = () => {
    ema.dispose();
    optimizer.dispose();
    for (const parameter of parameters) parameter.dispose();
  };
  return { parameters, optimizer, ema, state, dispose };
}

type Training = ReturnType<typeof training>;

/** Makes a step operation by operation. @returns the norm */
async function eagerStep({ parameters, optimizer, ema }: Training, gradients: readonly Float32Array[]) {
  const byName = Object.fromEntries(parameters.map(({ variable }, k) => [variable.name, tf.tensor1d(gradients[k]!)]));
  const norm = await gradientNorm(byName);
  optimizer.apply(byName, 0.5, clipFactor(norm, OPTIONS.maxGradientNorm));
  ema.update(optimizer.steps);
  tf.dispose(byName);
  return norm;
}

/** Writes what a pass would result in. */
function writePass(update: ReplayedUpdate, { parameters }: Training, gradients: readonly Float32Array[], loss: number) {
  const { queue } = (tf.backend() as unknown as GpuBackend).device;
  for (const [k, parameter] of parameters.entries()) queue.writeBuffer(update.gradientOf(parameter), 0, gradients[k]!);
  queue.writeBuffer(update.results, 0, Float32Array.of(loss, 3));
}

function assertNear(actual: unknown, expected: unknown, path = ''): void {
  if (typeof expected === 'number' && typeof actual === 'number')
    assert.ok(Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)), `${path}: ${actual}, ${expected}`);
  else if (Array.isArray(expected) || (typeof expected === 'object' && expected !== null)) {
    const [found, wanted] = [actual, expected] as Record<string, unknown>[];
    assert.deepEqual(Object.keys(found!), Object.keys(wanted!), path);
    for (const [key, value] of Object.entries(wanted!)) assertNear(found![key], value, `${path}.${key}`);
  } else assert.equal(actual, expected, path);
}

describe('ReplayedUpdate', function () {
  this.timeout(120_000);

  before(async function () {
    await webgpuOrSkip(this);
  });
  after(() => useBackend('wasm', { threads: 1 }));

  const gradients = (step: number) => SIZES.map((size, k) => numbers(size, 10 * step + k));
  const updateOf = ({ optimizer, ema }: Training, batches = 1) =>
    new ReplayedUpdate({ optimizer, ema, emaDecay: 0.9, resultCount: 2, batches });

  it("makes the eager update's steps in place, and few programs", async () => {
    await useBackend('webgpu');
    const { numTensors } = tf.memory();
    const [eager, replayed] = [training(), training()];
    const update = updateOf(replayed);
    const resources: unknown[] = [];
    for (const step of [1, 2, 3]) {
      const norm = await eagerStep(eager, gradients(step));
      writePass(update, replayed, gradients(step), 2);
      const made = await update.run(0.5, replayed.parameters);
      assertNear([made.norm, ...made.results], [norm, 2, 3]);
      // Read in between, so that numbers that are kept in main memory would be out of date.
      assertNear(await replayed.state(), await eager.state());
      const { tensorMap } = tf.backend() as unknown as GpuBackend;
      resources.push(tensorMap.get(replayed.parameters[1]!.variable.dataId).resource);
      // Eagerly, a parameter takes three, one for its norm and one for its average, and the norm takes two more.
      assert.equal(update.programs, SIZES.length + 2 + 1);
    }
    assert.ok(resources.every((resource) => resource === resources[0]));
    update.dispose();
    for (const one of [eager, replayed]) one.dispose();
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('changes nothing if the loss, a gradient or the norm is not finite', async () => {
    await useBackend('webgpu');
    const replayed = training();
    const update = updateOf(replayed);
    writePass(update, replayed, gradients(1), 2);
    await update.run(1, replayed.parameters);
    const before = await replayed.state();
    const withNumber = (number: number) =>
      gradients(2).map((values, k) => (k === 1 ? values.map((value, at) => (at === 19_999 ? number : value)) : values));
    for (const [given, loss] of [
      [gradients(2), Number.NaN],
      [gradients(2), Number.POSITIVE_INFINITY],
      [withNumber(Number.NaN), 1],
      [withNumber(Number.NEGATIVE_INFINITY), 1],
      [withNumber(3e38), 1],
    ] as const) {
      writePass(update, replayed, given, loss);
      const { norm, results } = await update.run(1, replayed.parameters);
      assert.ok(!Number.isFinite(norm + results[0]!));
      assert.deepEqual(await replayed.state(), before);
    }
    update.dispose();
    replayed.dispose();
  });

  it('averages the gradients of several batches, and updates only parameters that have some', async () => {
    await useBackend('webgpu');
    const [frozen, some] = [{ ...OPTIONS, textLearningRate: 0 }, gradients(1)];
    const [eager, replayed] = [training(frozen), training(frozen)];
    const update = updateOf(replayed, 2);
    const trained = replayed.optimizer.parameters;
    assert.equal(trained.length, 6);
    // The sums of an earlier step are not added to.
    for (const step of [7, 1]) {
      writePass(update, replayed, gradients(step), 2);
      update.add(trained.slice(1), false);
      assert.deepEqual([...(await update.readResults())], [2, 3]);
      writePass(update, replayed, gradients(step + 1), 2);
      update.add(trained, true);
    }
    const made = await update.run(1);
    const byName = Object.fromEntries(
      eager.optimizer.parameters.map(({ name, variable, size }, k) => {
        const later = gradients(2)[NAMES.indexOf(name)]!;
        const first = k === 0 ? new Float32Array(size) : some[NAMES.indexOf(name)]!;
        return [variable.name, tf.tensor1d(first.map((value, at) => (value + later[at]!) / 2))];
      }),
    );
    const norm = await gradientNorm(byName);
    eager.optimizer.apply(byName, 1, clipFactor(norm, OPTIONS.maxGradientNorm));
    eager.ema.update(1);
    assertNear(made.norm, norm);
    assertNear(await replayed.state(), await eager.state());
    tf.dispose(byName);
    update.dispose();
    for (const one of [eager, replayed]) one.dispose();
  });
});
