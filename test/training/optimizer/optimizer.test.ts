import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { Scope, zeros } from '../../../src/model/parameter-scope.js';
import { AdamW, gradientNorm, groupOf, officialAdamW } from '../../../src/training/optimizer/adam-w.js';
import { officialSchedule, type Schedule, scheduleFactor } from '../../../src/training/optimizer/schedule.js';
import { assertClose } from '../../support/tensors.js';

describe('rateFactor', () => {
  const factors = (schedule: Schedule, steps: readonly number[], all: number, perEpoch = 1) =>
    steps.map((step) => scheduleFactor(schedule, step, all, Math.floor(step / perEpoch)));

  it('falls by steps: a tenth after epoch 15, as officially', () => {
    assert.deepEqual(factors(officialSchedule, [0, 14, 15, 19], 20), [1, 1, 0.1, 0.1]);
    const twice: Schedule = { kind: 'step', dropAfter: [2, 4], factor: 0.5, warmup: 0 };
    assert.deepEqual(factors(twice, [0, 3, 4, 7, 8], 10, 2), [1, 1, 0.5, 0.5, 0.25]);
  });

  it('falls as a cosine, from 1 to its floor', () => {
    const cosine: Schedule = { kind: 'cosine', floor: 0.1, warmup: 0 };
    // 0.1 + 0.9 · (1 + cos(π t)) / 2 at t = 0, 1/4, 1/2, 1.
    assertClose(factors(cosine, [0, 25, 50, 100], 100), [1, 0.8681981, 0.55, 0.1], 1e-6);
    assertClose(factors(cosine, [101, 500], 100), [0.1, 0.1], 1e-9);
  });

  it('grows at the start where there is a warm-up, then falls over what is left', () => {
    const warm: Schedule = { kind: 'cosine', floor: 0, warmup: 4 };
    assertClose(factors(warm, [0, 1, 3, 4, 9, 14], 14), [0.25, 0.5, 1, 1, 0.5, 0], 1e-9);
    assertClose(factors({ ...officialSchedule, warmup: 2 }, [0, 1, 2], 20), [0.5, 1, 1]);
    assert.equal(scheduleFactor(warm, 0, 1, 0), 0.25);
  });
});

describe('groupOf', () => {
  it('is by name, as officially', () => {
    assert.equal(groupOf('backbone.0.body.layer2.0.conv1.weight'), 'backbone');
    assert.equal(groupOf('transformer.text_encoder.pooler.dense.bias'), 'text');
    assert.equal(groupOf('transformer.ho_encoder.roberta_layers.0.output.dense.weight'), 'rest');
    assert.equal(groupOf('transformer.ho_decoder.layers.0.cross_attn.sampling_offsets.weight'), 'rest');
  });
});

describe('AdamW', () => {
  before(() => useBackend('wasm', { threads: 1 }));
  const options = {
    ...officialAdamW,
    learningRate: 0.1,
    backboneLearningRate: 0.01,
    textLearningRate: 0.02,
    weightDecay: 0.5,
    maxGradientNorm: 0,
  };
  const made = (more: object = {}) => {
    const scope = new Scope();
    const rest = scope.parameter('a', [2], zeros);
    const backbone = scope.parameter('backbone.b', [1], zeros);
    const text = scope.parameter('text_encoder.c', [1], zeros);
    const still = scope.frozen().parameter('backbone.d', [1], zeros);
    rest.set(Float32Array.from([1, -2]));
    for (const parameter of [backbone, text, still]) parameter.set(Float32Array.from([1]));
    return { rest, backbone, text, still, adam: new AdamW(scope.parameters.values(), { ...options, ...more }) };
  };
  const apply = (
    adam: AdamW,
    gradients: readonly (readonly [tf.Variable, readonly number[]])[],
    factor = 1,
    length = 1,
  ) => {
    const tensors = Object.fromEntries(
      gradients.map(([variable, values]) => [variable.name, tf.tensor1d([...values])]),
    );
    adam.apply(tensors, factor, length);
    tf.dispose(tensors);
  };

  it('steps as the paper says, by hand', async () => {
    const { adam, rest } = made();
    // Step 1: m̂ = g, v̂ = g², so that each weight moves by the rate against its gradient's sign, behind 1 − 0.1 · 0.5.
    apply(adam, [[rest.variable, [0.5, -0.25]]]);
    assertClose(await rest.values(), [0.95 - 0.1, -1.9 + 0.1], 1e-6);
    // Step 2: m = 0.9 · 0.05 + 0.1 · 1 = 0.145, m̂ = 0.145 / 0.19; v = 0.999 · 0.00025 + 0.001 = 0.00124975, v̂ = v / 0.001999.
    apply(adam, [[rest.variable, [1, 0]]]);
    const first = 0.85 * 0.95 - (0.1 * (0.145 / 0.19)) / Math.sqrt(0.00124975 / 0.001999);
    const second = -1.8 * 0.95 - (0.1 * (-0.0225 / 0.19)) / Math.sqrt(0.0000624375 / 0.001999);
    assertClose(await rest.values(), [first, second], 2e-6);
    assert.equal(adam.steps, 2);
    adam.dispose();
  });

  it('has a rate for each part of the model, times the schedule, and leaves what is frozen', async () => {
    const { adam, rest, backbone, text, still } = made({ weightDecay: 0 });
    const all = [rest, backbone, text].map(({ variable }) => [variable, [1, 1].slice(0, variable.size)] as const);
    apply(adam, all, 0.5);
    assertClose(await rest.values(), [0.95, -2.05], 1e-6);
    assertClose(await backbone.values(), [0.995], 1e-6);
    assertClose(await text.values(), [0.99], 1e-6);
    assert.deepEqual(adam.variables.length, 3);
    assert.deepEqual([...(await still.values())], [1]);
    adam.dispose();
  });

  it('leaves a weight without a gradient as it is, as PyTorch does', async () => {
    const { adam, rest, text } = made();
    apply(adam, [[text.variable, [1]]]);
    assert.deepEqual([...(await rest.values())], [1, -2]);
    assert.deepEqual([...(await adam.state()).keys()], ['text_encoder.c']);
    adam.dispose();
  });

  it('shortens all gradients together', async () => {
    const gradients = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4], [12]]) };
    assert.equal(await gradientNorm(gradients), 13);
    assert.ok(Number.isNaN(await gradientNorm({ ...gradients, c: tf.tensor1d([Number.NaN]) })));
    tf.dispose(gradients);
    // With v built from the shortened gradient, a large ε shows the scale: the move is ≈ rate · g / ε.
    const loose = made({ weightDecay: 0, epsilon: 1e3, maxGradientNorm: 0.1 });
    apply(loose.adam, [[loose.text.variable, [4]]], 1, 4);
    assertClose([(1 - (await loose.text.values())[0]!) / (0.02 / 1e3)], [0.1], 5e-3);
    const short = made({ weightDecay: 0, epsilon: 1e3, maxGradientNorm: 0.1 });
    apply(short.adam, [[short.text.variable, [0.05]]], 1, 0.05);
    assertClose([(1 - (await short.text.values())[0]!) / (0.02 / 1e3)], [0.05], 5e-3);
    loose.adam.dispose();
    short.adam.dispose();
  });

  it('goes on from its state to the same numbers, and refuses that of another model', async () => {
    const [a, b] = [made(), made()];
    apply(a.adam, [[a.rest.variable, [0.3, -0.7]]]);
    b.rest.set(await a.rest.values());
    b.adam.restore(a.adam.steps, await a.adam.state());
    for (const { adam, rest } of [a, b]) apply(adam, [[rest.variable, [0.1, 0.4]]]);
    assert.deepEqual(await b.rest.values(), await a.rest.values());
    const moment = new Float32Array(3);
    assert.throws(() => b.adam.restore(1, new Map([['a', { first: moment, second: moment }]])), {
      code: 'bad-checkpoint',
      message: 'optimiser: its state has a, which is not as the model has it',
    });
    a.adam.dispose();
    b.adam.dispose();
  });
});
