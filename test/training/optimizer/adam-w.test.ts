import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { Scope, zeros } from '../../../src/model/parameter-scope.js';
import { AdamW, officialAdamW } from '../../../src/training/optimizer/adam-w.js';
import { Ema } from '../../../src/training/optimizer/ema.js';
import { clipFactor, gradientNorm } from '../../../src/training/optimizer/gradient-norm.js';
import { groupOf } from '../../../src/training/optimizer/parameter-group.js';
import { backendOrSkip } from '../../support/backends.js';
import { assertClose } from '../../support/tensors.js';

describe('groupOf', () => {
  it('depends on the name, as in the official code', () => {
    assert.equal(groupOf('backbone.0.body.layer2.0.conv1.weight'), 'backbone');
    assert.equal(groupOf('transformer.text_encoder.pooler.dense.bias'), 'text');
    assert.equal(groupOf('transformer.ho_encoder.roberta_layers.0.output.dense.weight'), 'rest');
    assert.equal(groupOf('transformer.ho_decoder.layers.0.cross_attn.sampling_offsets.weight'), 'rest');
  });
});

// With a kernel for each weight on wasm, and on arrays of many weights elsewhere.
for (const name of ['wasm', 'cpu', 'tensorflow'] as const)
  describe(`AdamW on ${name}`, () => {
    before(async function () {
      await backendOrSkip(this, name);
    });
    after(() => useBackend('wasm', { threads: 1 }));
    const options = {
      ...officialAdamW,
      learningRate: 0.1,
      backboneLearningRate: 0.01,
      textLearningRate: 0.02,
      weightDecay: 0.5,
    };
    const made = (more: object = {}) => {
      const scope = new Scope();
      const rest = scope.parameter('a', [2], zeros);
      const backbone = scope.parameter('backbone.b', [1], zeros);
      const text = scope.parameter('text_encoder.c', [1], zeros);
      const frozen = scope.frozen().parameter('backbone.d', [1], zeros);
      rest.set(Float32Array.from([1, -2]));
      for (const parameter of [backbone, text, frozen]) parameter.set(Float32Array.from([1]));
      return { rest, backbone, text, frozen, adam: new AdamW(scope.parameters.values(), { ...options, ...more }) };
    };
    const apply = (
      adam: AdamW,
      gradients: readonly (readonly [tf.Variable, readonly number[]])[],
      scheduleFactor = 1,
      gradientFactor = 1,
    ) => {
      const tensors = Object.fromEntries(
        gradients.map(([variable, values]) => [variable.name, tf.tensor1d([...values])]),
      );
      adam.apply(tensors, scheduleFactor, gradientFactor);
      tf.dispose(tensors);
    };

    it('makes the steps of the paper, computed by hand', async () => {
      const { adam, rest } = made();
      // Step 1: m̂ = g, v̂ = g², so that each weight decays by 1 − 0.1 · 0.5 and moves by the learning rate against its gradient's sign.
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

    it('multiplies the learning rate of each group by the schedule, and does not change frozen weights', async () => {
      const { adam, rest, backbone, text, frozen } = made({ weightDecay: 0 });
      const all = [rest, backbone, text].map(({ variable }) => [variable, [1, 1].slice(0, variable.size)] as const);
      apply(adam, all, 0.5);
      assertClose(await rest.values(), [0.95, -2.05], 1e-6);
      assertClose(await backbone.values(), [0.995], 1e-6);
      assertClose(await text.values(), [0.99], 1e-6);
      assert.deepEqual(adam.variables.length, 3);
      assert.deepEqual([...(await frozen.values())], [1]);
      adam.dispose();
    });

    it('does not change a weight without a gradient, as PyTorch', async () => {
      const { adam, rest, text } = made();
      apply(adam, [[text.variable, [1]]]);
      assert.deepEqual([...(await rest.values())], [1, -2]);
      assert.deepEqual([...(await adam.state()).keys()], ['text_encoder.c']);
      adam.dispose();
    });

    it('gradientNorm and clipFactor scale all gradients together', async () => {
      const gradients = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4], [12]]) };
      assert.equal(await gradientNorm(gradients), 13);
      assert.ok(Number.isNaN(await gradientNorm({ ...gradients, c: tf.tensor1d([Number.NaN]) })));
      tf.dispose(gradients);
      // With v built from the clipped gradient, a large ε shows the factor: the step is ≈ learning rate · g / ε.
      for (const [gradient, clipped] of [
        [4, 0.1],
        [0.05, 0.05],
      ] as const) {
        const { adam, text } = made({ weightDecay: 0, epsilon: 1e3 });
        apply(adam, [[text.variable, [gradient]]], 1, clipFactor(gradient, 0.1));
        assertClose([(1 - (await text.values())[0]!) / (0.02 / 1e3)], [clipped], 5e-3);
        adam.dispose();
      }
      assert.equal(clipFactor(4, 0), 1);
    });

    it('restores its state to the same numbers, and refuses the state of another model', async () => {
      const [a, b] = [made(), made()];
      apply(a.adam, [[a.rest.variable, [0.3, -0.7]]]);
      b.rest.set(await a.rest.values());
      b.adam.restore(a.adam.steps, await a.adam.state());
      for (const { adam, rest } of [a, b]) apply(adam, [[rest.variable, [0.1, 0.4]]]);
      assert.deepEqual(await b.rest.values(), await a.rest.values());
      const moment = new Float32Array(3);
      assert.throws(() => b.adam.restore(1, new Map([['a', { first: moment, second: moment }]])), {
        code: 'bad-checkpoint',
        message: 'optimizer: a has moments of 3 and 3 numbers, expected 2 as in the model',
      });
      a.adam.dispose();
      b.adam.dispose();
    });

    it('updates the weights that have gradients, whichever had some before', async () => {
      const make = () => {
        const scope = new Scope();
        const all = ['a', 'b', 'c'].map((key) => {
          const parameter = scope.parameter(key, [2, 2], zeros, 'linear');
          parameter.set(Float32Array.from([1, 2, 3, 4]));
          return parameter;
        });
        return { all, adam: new AdamW(scope.parameters.values(), options) };
      };
      const steps = [[0, 1], [0], [1, 2], [0, 1, 2]];
      const gradients = steps.map((used, step) => new Map(used.map((k) => [k, [step + 1, -k, 0.5, step - 2]])));
      const { all, adam } = make();
      for (const step of gradients) {
        const tensors = Object.fromEntries(
          [...step].map(([k, values]) => [all[k]!.variable.name, tf.tensor2d(values, [2, 2])]),
        );
        adam.apply(tensors, 1, 0.5);
        tf.dispose(tensors);
      }
      // Each weight by the formulas, in double precision.
      const { beta1, beta2, epsilon, learningRate, weightDecay } = options;
      for (const [k, parameter] of all.entries()) {
        const state = (await adam.state()).get(parameter.name)!;
        const weights = await parameter.variable.data();
        for (const [n, start] of [1, 3, 2, 4].entries()) {
          let [weight, first, second] = [start, 0, 0];
          for (const [step, used] of gradients.entries()) {
            const gradient = used.get(k);
            if (!gradient) continue;
            const g = 0.5 * gradient[n]!;
            first = beta1 * first + (1 - beta1) * g;
            second = beta2 * second + (1 - beta2) * g * g;
            const [m, v] = [first / (1 - beta1 ** (step + 1)), second / (1 - beta2 ** (step + 1))];
            weight -= learningRate * weightDecay * weight + (learningRate * m) / (Math.sqrt(v) + epsilon);
          }
          assertClose([weights[n]!, state.first[n]!, state.second[n]!], [weight, first, second], 1e-5);
        }
      }
      assert.deepEqual([...(await adam.state()).keys()], ['a', 'b', 'c']);
      adam.dispose();
    });

    it('keeps an average of the weights, and exchanges it with them', async () => {
      const scope = new Scope();
      const all = ['a', 'b'].map((key) => scope.parameter(key, [3], zeros));
      const set = (by: number) => {
        for (const [k, parameter] of all.entries()) parameter.set(Float32Array.from([by, 2 * by, k]));
      };
      set(1);
      const ema = new Ema(all, 0.5);
      set(3);
      // The decay after the first step is (1 + 1) / (10 + 1).
      ema.update(1);
      const mean = 1 * (2 / 11) + 3 * (9 / 11);
      const state = await ema.state();
      for (const [k, key] of ['a', 'b'].entries()) assertClose(state.get(key)!, [mean, 2 * mean, k], 1e-6);
      ema.exchange();
      for (const [k, parameter] of all.entries()) assertClose(await parameter.values(), [mean, 2 * mean, k], 1e-6);
      ema.exchange();
      for (const [k, parameter] of all.entries()) assertClose(await parameter.values(), [3, 6, k], 1e-6);
      const other = new Ema(all, 0.5);
      other.restore(state);
      assert.deepEqual(await other.state(), state);
      ema.dispose();
      other.dispose();
    });
  });
