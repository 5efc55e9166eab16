import * as tf from '@tensorflow/tfjs-core';
import type { WeightSource } from '../../src/files/weight-source.js';
import type { ImageBatch } from '../../src/model/geometry.js';
import type { Parameter } from '../../src/model/parameter-scope.js';
import type { ModelPasses } from '../../src/model/recording/model-passes.js';
import type { LabelSet, LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { textMask } from '../../src/model/text/text-mask.js';
import { matchPairsAsync } from '../../src/training/loss/match-pairs.js';
import { type LossTerms, type PairLossOptions, pairLosses, totalLoss } from '../../src/training/loss/pair-losses.js';
import type { Matches } from '../../src/training/loss/pair-targets.js';
import { pseudoLabels } from '../../src/training/loss/pseudo-labels.js';
import type { BorderPoints } from './border-points.js';
import { officialOutputs } from './compare-forward.js';
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
  /** What runs the passes: operation by operation, or recorded. */
  readonly runner: ModelPasses;
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
  { passes, nudges, readable, runner, borders }: GradientOptions,
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
  /** @param changed names the change of the images, and so the pass */
  const lossesOf = async (images: ImageBatch, changed = 'as they are'): Promise<LossPass> => {
    const matches =
      tagger || readable ? undefined : await matchLayers(runner, changed, images, () => decode(images), inputs.pairs);
    const terms = () =>
      decode(images).map((layer, k) =>
        pairLosses(layer, inputs.pairs, { ...options, name: `found.${k}`, ...(matches && { matches: matches[k]! }) }),
      );
    return { key: changed, images, terms };
  };

  const trained = [...model.parameters.values()].filter((parameter) => parameter.trained);
  const failed: { readonly parameter: Parameter; readonly checks: readonly GradientCheck[] }[] = [];
  const losses = await lossesOf(batch);
  for (let pass = 0; pass < passes; pass++) {
    const parameters = trained.filter((_, k) => k % passes === pass);
    const { total, terms, gradients } = await gradientsOf(runner, losses, parameters, `group ${pass}`);
    if (pass === 0) {
      await compareTerms(terms, expected, report);
      await compareScalar('total', total, expected, report);
    }
    tf.dispose([total, terms as unknown as tf.TensorContainer]);
    for (const parameter of parameters) {
      const checks = await compareGradient(parameter, gradients[parameter.name], expected, norms);
      if (checks.every(isWithin)) for (const check of checks) report(check);
      else failed.push({ parameter, checks });
    }
    tf.dispose(gradients);
  }
  const retry = async (images: ImageBatch, changed: string) =>
    compareRetry(runner, failed, await lossesOf(images, changed), expected, norms, changed);
  for (const check of await retryFailed(failed, batch, retry, nudges, borders)) report(check);
  batch.pixels.dispose();
}

/** The losses of images, and a name for them. */
interface LossPass {
  readonly key: string;
  readonly images: ImageBatch;
  readonly terms: () => LossTerms[];
}

/** Matches queries with targets for each layer, in a pass of its own. */
async function matchLayers(
  runner: ModelPasses,
  key: string,
  { pixels }: ImageBatch,
  decode: () => LayerOutput[],
  pairs: ParityInputs['pairs'],
): Promise<Matches[][]> {
  const outputs = await runner.run({
    key: `match: ${key}`,
    given: { pixels },
    collectData: () => {},
    run: () =>
      Object.fromEntries(
        decode().flatMap((layer, k) => Object.entries(layer).map(([name, x]) => [`${k}.${name}`, x as tf.Tensor])),
      ),
  });
  const matches: Matches[][] = [];
  for (let k = 0; outputs[`${k}.subjectBoxes`]; k++) {
    const names = Object.values(officialOutputs);
    const layer = Object.fromEntries(names.map((name) => [name, outputs[`${k}.${name}`]!]));
    matches.push(await matchPairsAsync(layer as unknown as LayerOutput, pairs));
  }
  tf.dispose(outputs as tf.NamedTensorMap);
  return matches;
}

/** Computes the loss, its terms by layer, and the gradients of parameters by their names. */
async function gradientsOf(
  runner: ModelPasses,
  { key, images, terms }: LossPass,
  parameters: readonly Parameter[],
  group: string,
): Promise<{ total: tf.Tensor; terms: Record<keyof LossTerms, tf.Tensor>[]; gradients: tf.NamedTensorMap }> {
  const { total, ...outputs } = await runner.run({
    key: `gradients of ${group}: ${key}`,
    given: { pixels: images.pixels },
    collectData: () => {},
    run: () => {
      let layers: LossTerms[] = [];
      const { value, grads } = tf.variableGrads(
        () => {
          layers = terms();
          // Kept as outputs, since the pass disposes its intermediate tensors.
          for (const layer of layers) for (const term of Object.values(layer)) tf.keep(term as tf.Tensor);
          return totalLoss(layers);
        },
        parameters.map(({ variable }) => variable),
      );
      const ofLayers = layers.flatMap((layer, k) =>
        Object.entries(layer).map(([name, term]) => [`term ${k}.${name}`, tf.clone(term as tf.Tensor)] as const),
      );
      for (const layer of layers) tf.dispose(layer as unknown as tf.TensorContainer);
      const ofParameters = parameters.flatMap(({ name, variable }) =>
        grads[variable.name] ? [[name, grads[variable.name]!] as const] : [],
      );
      return { total: value, ...Object.fromEntries([...ofLayers, ...ofParameters]) };
    },
  });
  const byLayer: Record<string, tf.Tensor>[] = [];
  const gradients: Record<string, tf.Tensor> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const [, layer, term] = /^term (\d+)\.(\w+)$/.exec(name) ?? [];
    if (!term) gradients[name] = tensor;
    else byLayer[Number(layer)] = { ...byLayer[Number(layer)], [term]: tensor };
  }
  return { total: total!, terms: byLayer as Record<keyof LossTerms, tf.Tensor>[], gradients };
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
  runner: ModelPasses,
  failed: readonly FailedParameter[],
  losses: LossPass,
  expected: WeightSource,
  norms: Readonly<Record<string, number>>,
  changed: string,
): Promise<GradientCheck[]> {
  const parameters = failed.map(({ parameter }) => parameter);
  const { total, terms, gradients } = await gradientsOf(runner, losses, parameters, 'those that failed');
  const all: GradientCheck[] = [];
  for (const { parameter, checks } of failed)
    for (const [k, check] of (await compareGradient(parameter, gradients[parameter.name], expected, norms)).entries()) {
      const before = checks[k]!;
      const bothWithin = isWithin(before) && isWithin(check);
      all.push(bothWithin ? before : { ...check, retry: { changed, asItIs: before.difference } });
    }
  tf.dispose([total, terms as unknown as tf.TensorContainer, gradients]);
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
  layers: readonly Record<keyof LossTerms, tf.Tensor>[],
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
