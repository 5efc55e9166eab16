import * as tf from '@tensorflow/tfjs-core';
import type { WeightSource } from '../../src/files/weight-source.js';
import type { ImageBatch } from '../../src/model/geometry.js';
import type { Parameter } from '../../src/model/parameter-scope.js';
import type { LabelSet, LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { textMask } from '../../src/model/text/text-mask.js';
import { matchPairsAsync } from '../../src/training/loss/match-pairs.js';
import { type LossTerms, type PairLossOptions, pairLosses, totalLoss } from '../../src/training/loss/pair-losses.js';
import type { Matches } from '../../src/training/loss/pair-targets.js';
import { pseudoLabels } from '../../src/training/loss/pseudo-labels.js';
import type { BorderPoints } from './border-points.js';
import { batchOf, type ParityInputs } from './parity-inputs.js';

/** Difference of a loss or a gradient, and its tolerance. */
export interface GradientCheck {
  readonly name: string;
  readonly difference: number;
  readonly tolerance: number;
  /** Set if `difference` is that of a repeated pass with different rounding: what was changed, and the original difference. */
  readonly retry?: { readonly changed: string; readonly asItIs: number };
}

/** Tolerances, as relative differences. */
const TOLERANCES = { loss: 1e-4, gradient: 1e-3, norm: 2e-3, pseudoLabels: 1e-4 };

/** Official names of the loss terms; those of all layers but the last have the suffix `_` and the layer's number. */
const officialTerms: Readonly<Record<keyof LossTerms, string>> = {
  labels: 'loss_obj_ce',
  relations: 'loss_verb_ce',
  subjectBoxes: 'loss_sub_bbox',
  objectBoxes: 'loss_obj_bbox',
  subjectGiou: 'loss_sub_giou',
  objectGiou: 'loss_obj_giou',
};

/** Box heads of the subject-object decoder are missing in the official lists, because their arrays have several names. */
const unlistedHeads = /^(?:sub|obj)_bbox_embed\.[012]\./;

/** Gradients with a smaller norm are rounding errors: that of a key's bias is 0, because a softmax does not depend on it. */
const ROUNDING = 1e-6;

/**
 * Relative change of a pixel by a nudge: one rounding.
 *
 * The gradient of bilinear sampling jumps where a point crosses from one cell to the next. Of a hundred thousand points some
 * are so close to such a border that rounding alone determines their cell in the official run, and a single one changes a
 * row of gradients by up to 3e-3; so does a unit of a ReLU near zero. With nudges, a gradient beyond its tolerance is
 * computed again from pixels that differ by one rounding, to see if it then agrees.
 */
const NUDGE = 2 ** -23;

/** Options of `compareGradients`. */
export interface GradientOptions {
  /** Number of passes; each computes the gradients of some parameters, so that fewer are in memory at once. */
  readonly passes: number;
  /** Number of nudges to try; one of them must bring all failed gradients within their tolerance. */
  readonly nudges: number;
  /** True if tensors can be read within a pass; otherwise queries are matched with targets in a pass before. */
  readonly readable: boolean;
  /** Sampling points at borders of cells; `tries` of them, the closest first, are moved to the other side in turn. */
  readonly borders?: { readonly watch: BorderPoints; readonly tries: number } | undefined;
}

/**
 * Runs the forward and backward pass of a training step on both images, without dropout and noise, and compares losses and
 * gradients with the official ones.
 * @param norms L2 norms of the official gradients, by parameter
 */
export async function compareGradients(
  model: RlipV2,
  inputs: ParityInputs,
  expected: WeightSource,
  norms: Readonly<Record<string, number>>,
  { passes, nudges, readable, borders }: GradientOptions,
  report: (check: GradientCheck) => void,
): Promise<void> {
  const batch = batchOf(inputs.images);
  const tagger = model.config.queries === 'tagger';
  const given = { groups: inputs.pairs, slots: model.config.pairs };
  const softTargets = await compareSoftTargets(model, inputs, expected, report);
  const options: PairLossOptions = {
    givenPairs: tagger,
    qualityLabels: !tagger,
    ...(softTargets && { pseudoLabels: softTargets }),
  };
  const decode = (images: ImageBatch): LayerOutput[] => {
    borders?.watch.start();
    const vectors = model.encodeTexts(inputs.texts);
    const labels: LabelSet = {
      vectors,
      objectCount: inputs.objects,
      // One official run used the training path, in which labels are masked by their sums.
      paddingMask: expected.entries.has('text_mask') ? textMask(vectors, inputs.images.length) : null,
    };
    return model.decode(model.encode(images, labels), tagger ? given : undefined);
  };
  const lossesOf = async (images: ImageBatch): Promise<() => LossTerms[]> => {
    const matches = tagger || readable ? undefined : await matchLayers(() => decode(images), inputs.pairs);
    return () =>
      decode(images).map((layer, k) =>
        pairLosses(layer, inputs.pairs, { ...options, ...(matches && { matches: matches[k]! }) }),
      );
  };

  const trained = [...model.parameters.values()].filter((parameter) => parameter.trained);
  const failed: { readonly parameter: Parameter; readonly checks: readonly GradientCheck[] }[] = [];
  const losses = await lossesOf(batch);
  for (let pass = 0; pass < passes; pass++) {
    const parameters = trained.filter((_, k) => k % passes === pass);
    let terms: LossTerms[] = [];
    const { value, grads } = tf.variableGrads(
      () => {
        terms = losses();
        // Kept for the comparison, since the pass disposes its intermediate tensors.
        if (pass === 0) for (const layer of terms) for (const term of Object.values(layer)) tf.keep(term as tf.Tensor);
        return totalLoss(terms);
      },
      parameters.map(({ variable }) => variable),
    );
    if (pass === 0) {
      await compareTerms(terms, expected, report);
      await compareScalar('total', value, expected, report);
      tf.dispose(terms as unknown as tf.TensorContainer);
    }
    value.dispose();
    for (const parameter of parameters) {
      const checks = await compareGradient(parameter, grads[parameter.variable.name], expected, norms);
      if (checks.every(isWithin)) for (const check of checks) report(check);
      else failed.push({ parameter, checks });
    }
    tf.dispose(grads);
  }
  const retry = async (images: ImageBatch, changed: string) =>
    compareRetry(failed, await lossesOf(images), expected, norms, changed);
  for (const check of await retryFailed(failed, batch, retry, nudges, borders)) report(check);
  batch.pixels.dispose();
}

/** Matches queries with targets for each layer, in a pass of its own. */
async function matchLayers(decode: () => LayerOutput[], pairs: ParityInputs['pairs']): Promise<Matches[][]> {
  const layers = tf.tidy(() => decode() as unknown as tf.TensorContainer) as unknown as LayerOutput[];
  const matches: Matches[][] = [];
  for (const layer of layers) matches.push(await matchPairsAsync(layer, pairs));
  tf.dispose(layers as unknown as tf.TensorContainer);
  return matches;
}

const isWithin = ({ difference, tolerance }: GradientCheck) => difference <= tolerance;

interface FailedParameter {
  readonly parameter: Parameter;
  readonly checks: readonly GradientCheck[];
}

/**
 * Computes failed gradients again with different rounding.
 * @returns the checks of the first retry in which all are within their tolerance, else the original checks
 */
async function retryFailed(
  failed: readonly FailedParameter[],
  batch: ImageBatch,
  retry: (images: ImageBatch, changed: string) => Promise<GradientCheck[]>,
  nudges: number,
  borders: { readonly watch: BorderPoints; readonly tries: number } | undefined,
): Promise<GradientCheck[]> {
  if (failed.length === 0) return [];
  for (const point of borders?.watch.points.slice(0, borders.tries) ?? []) {
    borders!.watch.moved = point;
    const checks = await retry(batch, `${point.name} moved across`);
    borders!.watch.moved = undefined;
    if (checks.every(isWithin)) return checks;
  }
  for (let nudge = 1; nudge <= nudges; nudge++) {
    const pixels = tf.tidy(() => {
      const factors = tf.randomUniform(batch.pixels.shape, 1 - NUDGE, 1 + NUDGE, 'float32', nudge);
      return tf.mul(batch.pixels, factors) as tf.Tensor4D;
    });
    const checks = await retry({ ...batch, pixels }, 'nudged');
    pixels.dispose();
    if (checks.every(isWithin)) return checks;
  }
  return failed.flatMap(({ checks }) => checks);
}

/** Repeats the pass for the failed gradients. */
async function compareRetry(
  failed: readonly FailedParameter[],
  losses: () => LossTerms[],
  expected: WeightSource,
  norms: Readonly<Record<string, number>>,
  changed: string,
): Promise<GradientCheck[]> {
  const { value, grads } = tf.variableGrads(
    () => totalLoss(losses()),
    failed.map(({ parameter }) => parameter.variable),
  );
  const all: GradientCheck[] = [];
  for (const { parameter, checks } of failed)
    for (const [k, check] of (
      await compareGradient(parameter, grads[parameter.variable.name], expected, norms)
    ).entries()) {
      const before = checks[k]!;
      const bothWithin = isWithin(before) && isWithin(check);
      all.push(bothWithin ? before : { ...check, retry: { changed, asItIs: before.difference } });
    }
  value.dispose();
  tf.dispose(grads);
  return all;
}

/** Compares the soft targets of the relations (RPL) with the official ones. @returns them, if the official run used them */
async function compareSoftTargets(
  model: RlipV2,
  inputs: ParityInputs,
  expected: WeightSource,
  report: (check: GradientCheck) => void,
): Promise<Float32Array[] | undefined> {
  if (!expected.entries.has('target_verb_sim')) return undefined;
  const vectors = tf.tidy(() => model.encodeTexts(inputs.texts));
  const all = (await vectors.data()) as Float32Array;
  vectors.dispose();
  const relations = all.subarray(inputs.objects * (all.length / inputs.texts.texts));
  const targets = inputs.pairs.map((pairs) => pseudoLabels(relations, inputs.relations, pairs.relations));
  const official = await expected.read('target_verb_sim');
  const actual = targets.flatMap((labels) => [...labels]);
  const difference = official.reduce((most, value, k) => Math.max(most, Math.abs(value - actual[k]!)), 0);
  report({ name: 'target_verb_sim', difference, tolerance: TOLERANCES.pseudoLabels });
  return targets;
}

async function compareTerms(
  layers: readonly LossTerms[],
  expected: WeightSource,
  report: (check: GradientCheck) => void,
): Promise<void> {
  for (const [k, terms] of layers.entries())
    for (const [name, official] of Object.entries(officialTerms)) {
      const suffix = k === layers.length - 1 ? '' : `_${k}`;
      await compareScalar(`loss.${official}${suffix}`, terms[name as keyof LossTerms], expected, report);
    }
}

async function compareScalar(
  name: string,
  value: tf.Tensor,
  expected: WeightSource,
  report: (check: GradientCheck) => void,
): Promise<void> {
  const [actual, official] = [(await value.data())[0]!, (await expected.read(name))[0]!];
  report({
    name,
    difference: Math.abs(actual - official) / Math.max(Math.abs(official), 1e-12),
    tolerance: TOLERANCES.loss,
  });
}

async function compareGradient(
  parameter: Parameter,
  gradient: tf.Tensor | undefined,
  expected: WeightSource,
  norms: Readonly<Record<string, number>>,
): Promise<GradientCheck[]> {
  const { name } = parameter;
  const norm = norms[name];
  const official = expected.entries.has(`grad.${name}`) ? await expected.read(`grad.${name}`) : undefined;
  if (norm === undefined && !official) {
    // Parameters without an official gradient must have none here either.
    const hasGradient = !unlistedHeads.test(name) && gradient && (await gradient.data()).some((value) => value !== 0);
    return hasGradient
      ? [{ name: `grad ${name}: officially none`, difference: Number.POSITIVE_INFINITY, tolerance: 0 }]
      : [];
  }
  const actual = gradient ? await parameter.official(gradient) : new Float32Array(parameter.size);
  const checks: GradientCheck[] = [];
  if (official) {
    let [difference, size] = [0, 0];
    for (const [k, value] of official.entries()) {
      difference += (value - actual[k]!) ** 2;
      size += value ** 2;
    }
    checks.push({ name: `grad ${name}`, difference: Math.sqrt(difference / size), tolerance: TOLERANCES.gradient });
  }
  if (norm !== undefined) {
    const length = Math.sqrt(actual.reduce((sum, value) => sum + value * value, 0));
    checks.push({
      name: `norm of grad ${name}`,
      difference: Math.max(length, norm) < ROUNDING ? 0 : Math.abs(length - norm) / Math.max(norm, 1e-12),
      tolerance: TOLERANCES.norm,
    });
  }
  return checks;
}
