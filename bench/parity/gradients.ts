import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../../src/model/parameters.js';
import type { LabelSet, LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { textMask } from '../../src/model/text/text-mask.js';
import type { WeightSource } from '../../src/records/weight-source.js';
import { type LossOptions, type LossTerms, pairLosses, totalLoss } from '../../src/training/losses.js';
import { pseudoLabels } from '../../src/training/pseudo-labels.js';
import { batchOf, type ParityInputs } from './inputs.js';

/** A difference with what it may be. */
export interface Check {
  readonly name: string;
  readonly difference: number;
  readonly tolerance: number;
}

/** Relative differences that are allowed. */
const TOLERANCES = { loss: 1e-4, gradient: 1e-3, norm: 2e-3, pseudoLabels: 1e-4 };

/** The official names of the terms; the last layer's have no number behind them. */
const officialTerms: Readonly<Record<keyof LossTerms, string>> = {
  labels: 'loss_obj_ce',
  relations: 'loss_verb_ce',
  subjectBoxes: 'loss_sub_bbox',
  objectBoxes: 'loss_obj_bbox',
  subjectGiou: 'loss_sub_giou',
  objectGiou: 'loss_obj_giou',
};

/** The official lists leave out the box heads of the first decoder, since their arrays have several names. */
const unlisted = /^(?:sub|obj)_bbox_embed\.[012]\./;

/** A gradient as short as this is rounding: that of a key's bias is 0, since a softmax is blind to it. */
const ROUNDING = 1e-6;

/**
 * Runs a training step's forward and backward pass on both images, without dropout and noise, and compares losses and
 * gradients with the official ones.
 * @param groups passes over the parameters; each takes the gradients of some, so that fewer are in memory at once
 */
export async function compareGradients(
  model: RlipV2,
  inputs: ParityInputs,
  expected: WeightSource,
  norms: Readonly<Record<string, number>>,
  groups: number,
  report: (check: Check) => void,
): Promise<void> {
  const batch = batchOf(inputs.images);
  const tagger = model.config.queries === 'tagger';
  const given = { groups: inputs.pairs, slots: model.config.pairs };
  const extra = await extraLabels(model, inputs, expected, report);
  const options: LossOptions = { given: tagger, quality: !tagger, ...(extra && { pseudoLabels: extra }) };
  const losses = (): LossTerms[] => {
    const vectors = model.encodeTexts(inputs.texts);
    const labels: LabelSet = {
      vectors,
      objects: inputs.objects,
      // One run went through the training text path, in which labels are flagged by their sums.
      hidden: expected.entries.has('text_mask') ? textMask(vectors, inputs.images.length) : null,
    };
    const layers: LayerOutput[] = model.decode(model.encode(batch, labels), tagger ? given : undefined);
    return layers.map((layer) => pairLosses(layer, inputs.pairs, options));
  };

  const trained = [...model.parameters.values()].filter((parameter) => parameter.trained);
  for (let group = 0; group < groups; group++) {
    const part = trained.filter((_, k) => k % groups === group);
    let terms: LossTerms[] = [];
    const { value, grads } = tf.variableGrads(
      () => {
        terms = losses();
        // Kept for the comparison, out of the pass that tidies up.
        if (group === 0) for (const layer of terms) for (const term of Object.values(layer)) tf.keep(term as tf.Tensor);
        return totalLoss(terms);
      },
      part.map(({ variable }) => variable),
    );
    if (group === 0) {
      await compareTerms(terms, expected, report);
      await compareScalar('total', value, expected, report);
      tf.dispose(terms as unknown as tf.TensorContainer);
    }
    value.dispose();
    for (const parameter of part) {
      const checks = await compareGradient(parameter, grads[parameter.variable.name], expected, norms);
      for (const check of checks) report(check);
    }
    tf.dispose(grads);
  }
  batch.pixels.dispose();
}

async function extraLabels(
  model: RlipV2,
  inputs: ParityInputs,
  expected: WeightSource,
  report: (check: Check) => void,
): Promise<Float32Array[] | undefined> {
  if (!expected.entries.has('target_verb_sim')) return undefined;
  const vectors = tf.tidy(() => model.encodeTexts(inputs.texts));
  const all = (await vectors.data()) as Float32Array;
  vectors.dispose();
  const relations = all.subarray(inputs.objects * (all.length / inputs.texts.texts));
  const made = inputs.pairs.map((pairs) => pseudoLabels(relations, inputs.relations, pairs.relations));
  const official = await expected.read('target_verb_sim');
  const ours = made.flatMap((part) => [...part]);
  const difference = official.reduce((most, value, k) => Math.max(most, Math.abs(value - ours[k]!)), 0);
  report({ name: 'target_verb_sim', difference, tolerance: TOLERANCES.pseudoLabels });
  return made;
}

async function compareTerms(
  layers: readonly LossTerms[],
  expected: WeightSource,
  report: (check: Check) => void,
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
  report: (check: Check) => void,
): Promise<void> {
  const [ours, official] = [(await value.data())[0]!, (await expected.read(name))[0]!];
  report({
    name,
    difference: Math.abs(ours - official) / Math.max(Math.abs(official), 1e-12),
    tolerance: TOLERANCES.loss,
  });
}

async function compareGradient(
  parameter: Parameter,
  gradient: tf.Tensor | undefined,
  expected: WeightSource,
  norms: Readonly<Record<string, number>>,
): Promise<Check[]> {
  const { name } = parameter;
  const norm = norms[name];
  const official = expected.entries.has(`grad.${name}`) ? await expected.read(`grad.${name}`) : undefined;
  if (norm === undefined && !official) {
    // What no official loss reaches must have no gradient here either.
    const some = !unlisted.test(name) && gradient && (await gradient.data()).some((value) => value !== 0);
    return some ? [{ name: `grad ${name}: officially none`, difference: Number.POSITIVE_INFINITY, tolerance: 0 }] : [];
  }
  const ours = gradient ? await parameter.official(gradient) : new Float32Array(parameter.size);
  const checks: Check[] = [];
  if (official) {
    let [difference, size] = [0, 0];
    for (const [k, value] of official.entries()) {
      difference += (value - ours[k]!) ** 2;
      size += value ** 2;
    }
    checks.push({ name: `grad ${name}`, difference: Math.sqrt(difference / size), tolerance: TOLERANCES.gradient });
  }
  if (norm !== undefined) {
    const length = Math.sqrt(ours.reduce((sum, value) => sum + value * value, 0));
    checks.push({
      name: `norm of grad ${name}`,
      difference: Math.max(length, norm) < ROUNDING ? 0 : Math.abs(length - norm) / Math.max(norm, 1e-12),
      tolerance: TOLERANCES.norm,
    });
  }
  return checks;
}
