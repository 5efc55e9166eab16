import { NativeMath } from '../../model/backends/kernels/native-math.js';
import type { Parameter } from '../../model/parameter-scope.js';
import { control, type GraphBuilder } from '../../model/recording/tensorflow/graph-builder.js';
import type { AdamWOptions } from '../optimizer/adam-w.js';
import { averageDecay } from '../optimizer/ema.js';
import { groupOf, type ParameterGroup } from '../optimizer/parameter-group.js';

/** Handles of a parameter's variables in a graph. */
export interface TrainedVariables {
  readonly parameter: Parameter;
  readonly weight: string;
  /** Absent for a parameter that is not updated. */
  readonly moments?: { readonly first: string; readonly second: string };
  readonly average?: string;
}

/** Numbers of an update that change from step to step, in the order in which a graph receives them. */
export const UPDATE_NUMBERS = [
  'backboneRate',
  'textRate',
  'restRate',
  'backboneKeep',
  'textKeep',
  'restKeep',
  'epsilon',
  'averageDecay',
] as const;

export type UpdateNumbers = Readonly<Record<(typeof UPDATE_NUMBERS)[number], number>>;

/**
 * Computes the numbers of an update. The bias correction is part of rate and ε, so that it is computed in double precision:
 *
 *     r · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) = r′ · m / (√v + ε′),  r′ = r √(1 − β₂ᵗ) / (1 − β₁ᵗ),  ε′ = ε √(1 − β₂ᵗ)
 *
 * @param step counted from 1
 * @param scheduleFactor multiplies all learning rates
 * @param emaDecay null without a moving average
 */
export function updateNumbers(
  options: AdamWOptions,
  step: number,
  scheduleFactor: number,
  emaDecay: number | null,
): UpdateNumbers {
  const { learningRate, backboneLearningRate, textLearningRate, weightDecay, beta1, beta2, epsilon } = options;
  const correction = Math.sqrt(1 - beta2 ** step);
  const rate = (of: number) => (of * scheduleFactor * correction) / (1 - beta1 ** step);
  const keep = (of: number) => 1 - of * scheduleFactor * weightDecay;
  return {
    backboneRate: rate(backboneLearningRate),
    textRate: rate(textLearningRate),
    restRate: rate(learningRate),
    backboneKeep: keep(backboneLearningRate),
    textKeep: keep(textLearningRate),
    restKeep: keep(learningRate),
    epsilon: epsilon * correction,
    averageDecay: emaDecay === null ? 0 : averageDecay(emaDecay, step),
  };
}

/** What an update works on. */
export interface UpdateInputs {
  readonly variables: readonly TrainedVariables[];
  /** Nodes of the gradients, by the parameter's name. */
  readonly gradients: Readonly<Record<string, string>>;
  /** Node of `[loss, …]`; the first number decides whether there is an update. */
  readonly results: string;
  readonly resultCount: number;
  /** Node of the numbers in the order of `UPDATE_NUMBERS`. */
  readonly numbers: string;
  readonly options: AdamWOptions;
}

/** Nodes that one node waits for: TensorFlow's optimizer takes long over nodes that wait for many. */
const GROUP = 16;

/** Adds a node that waits for all others. */
function afterAll(graph: GraphBuilder, nodes: readonly string[]): string {
  if (nodes.length <= GROUP) return graph.run('NoOp', nodes.map(control), {});
  const groups = Array.from({ length: Math.ceil(nodes.length / GROUP) }, (_, k) =>
    afterAll(graph, nodes.slice(k * GROUP, (k + 1) * GROUP)),
  );
  return afterAll(graph, groups);
}

const float = { T: { type: 'float32' } } as const;

/**
 * Adds clipping, AdamW and the moving average to a graph, as `clipFactor`, `AdamW` and `Ema` compute them. Nothing is updated
 * if the loss or the norm of the gradients is not finite.
 *
 * TensorFlow's own kernel of Adam rounds 1 − β₂ to 32 bits after the subtraction, which changes an update by 2 · 10⁻⁵ of it.
 *
 * @returns the node of the results with the gradients' norm at their end, once everything is updated
 */
export function updateNodes(graph: GraphBuilder, inputs: UpdateInputs): string {
  const { variables, gradients, results, resultCount, numbers, options } = inputs;
  const m = new NativeMath(graph);
  const norm = m.norm(Object.values(gradients));
  const all = m.concat([results, m.reshape(norm, [1])], 0);
  const loss = m.reshape(m.slice(results, [0], [1]), []);
  const areFinite = graph.run(
    'LogicalAnd',
    [graph.run('IsFinite', [loss], float), graph.run('IsFinite', [norm], float)],
    {},
  );
  const limit = options.maxGradientNorm;
  const scale =
    limit > 0
      ? m.binary('Minimum', m.number(1), m.binary('RealDiv', m.number(limit), m.add(norm, m.number(1e-6))))
      : null;
  // What depends on a branch that is not taken does not run: all that is updated depends on these numbers.
  const branches = graph.run('Switch', [m.concat([all, numbers], 0), areFinite], float);
  const number = (name: (typeof UPDATE_NUMBERS)[number]) =>
    m.reshape(m.slice(`${branches}:1`, [resultCount + 1 + UPDATE_NUMBERS.indexOf(name)], [1]), []);
  const rates: Record<ParameterGroup, { rate: string; keep: string }> = {
    backbone: { rate: number('backboneRate'), keep: number('backboneKeep') },
    text: { rate: number('textRate'), keep: number('textKeep') },
    rest: { rate: number('restRate'), keep: number('restKeep') },
  };
  const epsilon = number('epsilon');
  const decay = number('averageDecay');
  const rest = m.sub(m.number(1), decay);
  const done: string[] = [];
  for (const { parameter, weight, moments, average } of variables) {
    const gradient = gradients[parameter.name];
    let updated: string | undefined;
    if (moments && gradient !== undefined) {
      const { rate, keep } = rates[groupOf(parameter.name)];
      const decayed = graph.assign(weight, m.mul(graph.read(weight), keep));
      updated = graph.run(
        'ResourceApplyAdam',
        [
          weight,
          moments.first,
          moments.second,
          // The corrections are part of the rate.
          m.number(0),
          m.number(0),
          rate,
          m.number(options.beta1),
          m.number(options.beta2),
          epsilon,
          scale === null ? gradient : m.mul(gradient, scale),
          control(decayed),
        ],
        { ...float, use_locking: { bool: false }, use_nesterov: { bool: false } },
      );
    }
    if (average !== undefined) {
      const after = updated === undefined ? [] : [control(updated)];
      const current = graph.run('ReadVariableOp', [weight, ...after], { dtype: { type: 'float32' } });
      const mean = m.add(m.mul(graph.read(average), decay), m.mul(current, rest));
      updated = graph.assign(average, mean);
    }
    if (updated !== undefined) done.push(updated);
  }
  const kept = graph.identity(`${branches}:0`);
  const taken = graph.identity(`${branches}:1`, [afterAll(graph, done)]);
  return m.slice(graph.run('Merge', [taken, kept], { ...float, N: { int: 2 } }), [0], [resultCount + 1]);
}
