import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import { evaluateShapes } from '../model/backends/evaluate-shapes.js';
import { NO_OBJECTS } from '../model/encode-image.js';
import type { Dropout } from '../model/layers/dropout.js';
import { RlipV2 } from '../model/rlip-v2.js';
import type { Tokenizer } from '../model/text/tokenizer.js';
import { leakMask } from './data/denoising.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { PairTargets } from './loss/pair-targets.js';
import { lossGradients } from './loss-gradients.js';
import { createForward } from './open-training-model.js';
import { AdamW } from './optimizer/adam-w.js';
import { Ema } from './optimizer/ema.js';
import type { TrainingSettings } from './settings/training-settings.js';

/** The most that WebAssembly addresses. */
export const WASM_BYTES = 2 ** 32;

/** What a step takes of memory at most, in bytes: the largest image and as many texts and pairs as the settings allow. */
export interface StepMemory {
  readonly weights: number;
  /** As many as are trained. */
  readonly gradients: number;
  /** Both moments of the optimiser, and the mean of the weights if there is one. */
  readonly optimizer: number;
  /** What is kept and passed on between layers, forwards and backwards. */
  readonly activations: number;
  /** All of it, at the worst moment. */
  readonly peak: number;
}

/** A label that is about as long as the longest of a batch, which all of them are padded to. */
const LABEL_TOKENS = 16;
const FEW_PAIRS = 12;

/**
 * What a step would take, found by running the model's own code, losses and optimiser on shapes alone: nothing is
 * allocated. That a heap has gaps comes on top.
 */
export async function stepMemory(settings: TrainingSettings): Promise<StepMemory> {
  const { peakBytes, result } = await evaluateShapes(async () => {
    const model = new RlipV2(settings.model);
    for (const parameter of model.parameters.values()) parameter.set(new Float32Array(parameter.size));
    const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
    const average = settings.emaDecay === null ? null : new Ema(model.parameters.values(), settings.emaDecay);
    const forward = createForward(settings, model, shortLabels);
    try {
      // Moments are there from the second step on: anything of the right shapes makes them.
      const { variables } = optimizer;
      optimizer.apply(Object.fromEntries(variables.map((variable) => [variable.name, variable])), 1, 1);
      const { gradients } = await lossGradients(forward, largestBatch(settings), variables, () => dropShapes);
      optimizer.apply(gradients, 1, 1);
      average?.follow(1);
      tf.dispose(gradients);
      const size = (parameters: readonly { readonly size: number }[]) =>
        4 * parameters.reduce((sum, { size: count }) => sum + count, 0);
      const all = [...model.parameters.values()];
      const trained = size(optimizer.variables);
      return {
        weights: size(all),
        gradients: trained,
        optimizer: 2 * trained + (average ? size(all.filter((parameter) => parameter.trained)) : 0),
      };
    } finally {
      average?.dispose();
      optimizer.dispose();
      model.dispose();
    }
  });
  const { weights, gradients, optimizer } = result;
  return { ...result, activations: Math.max(0, peakBytes - weights - gradients - optimizer), peak: peakBytes };
}

/** What would fit: changes to settings, in words and as settings. */
export interface Remedy {
  readonly change: string;
  readonly settings: TrainingSettings;
}

/** From what costs least of what is learnt to what costs most. */
function remedies(settings: TrainingSettings): Remedy[] {
  const found: Remedy[] = [];
  let [at, words] = [settings, [] as string[]];
  const go = (word: string, changed: TrainingSettings) => {
    [at, words] = [changed, [...words, word]];
    found.push({ change: words.join(', '), settings: at });
  };
  if (at.batchSize > 1)
    go(`batchSize 1 with accumulationSteps ${at.batchSize * at.accumulationSteps}`, {
      ...at,
      batchSize: 1,
      accumulationSteps: at.batchSize * at.accumulationSteps,
    });
  if (at.optimizer.textLearningRate > 0)
    go('optimizer.textLearningRate 0 (text encoder as it is)', {
      ...at,
      optimizer: { ...at.optimizer, textLearningRate: 0 },
    });
  if (at.emaDecay !== null) go('no emaDecay', { ...at, emaDecay: null });
  for (const shorter of [640, 480, 320, 224, 128]) {
    if (shorter >= Math.max(...at.augmentation.shorterSides)) continue;
    const { crop: _, ...augmentation } = at.augmentation;
    const longest = Math.round((shorter * at.augmentation.maxSize) / Math.max(...at.augmentation.shorterSides));
    const smaller = { ...augmentation, shorterSides: [shorter], maxSize: longest };
    found.push({
      change: [...words, `images of ${shorter} × ${longest}`].join(', '),
      settings: { ...at, augmentation: smaller },
    });
  }
  return found;
}

/**
 * @param limit bytes that there are
 * @returns the first changes after which a step fits, or null
 */
export async function suggestRemedies(
  settings: TrainingSettings,
  limit: number,
): Promise<(Remedy & StepMemory) | null> {
  for (const remedy of remedies(settings)) {
    const memory = await stepMemory(remedy.settings);
    if (memory.peak <= limit) return { ...remedy, ...memory };
  }
  return null;
}

/**
 * @param memory of a step, see `stepMemory`
 * @throws RelflowError (`out-of-memory`) where it can't fit into the wasm backend's memory; says what would
 */
export async function checkMemoryFits(settings: TrainingSettings, memory: StepMemory): Promise<void> {
  if (memory.peak <= WASM_BYTES) return;
  const giga = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const smaller = await suggestRemedies(settings, WASM_BYTES);
  const advice = smaller ? `; ${smaller.change} would fit (${giga(smaller.peak)})` : '; nothing smaller of it fits';
  throw new RelflowError(
    'out-of-memory',
    `training: a step of ${settings.model.name} takes ${giga(memory.peak)} (weights ${giga(memory.weights)}, gradients ${giga(memory.gradients)}, optimiser ${giga(memory.optimizer)}, activations ${giga(memory.activations)}), and backend wasm has 4 GiB${advice}; backend tensorflow has the machine's memory`,
    { ...memory, limit: WASM_BYTES, wouldFit: smaller?.change ?? null },
  );
}

const shortLabels: Tokenizer = {
  encode: () => Array.from({ length: LABEL_TOKENS }, (_, k) => k),
} as unknown as Tokenizer;

/** The same shapes as dropout's, without its random numbers. */
const dropShapes: Dropout = (x, rate) => (rate > 0 ? tf.mul(x, tf.fill(x.shape, 1)) : x);

/** The largest batch that the settings may lead to. */
function largestBatch(settings: TrainingSettings): TrainingBatch {
  const { batchSize: batch, model, labels: texts, augmentation: views } = settings;
  const shorter = Math.max(...views.shorterSides);
  const [height, width] = [shorter, Math.max(shorter, views.maxSize)];
  const vocabulary = settings.task === 'tagger' ? null : settings.vocabulary;
  const names = (count: number) => Array.from({ length: count }, (_, k) => `${k}`);
  const set = {
    objects: [...names(vocabulary?.objects.length ?? Math.max(1, texts.objects)), NO_OBJECTS],
    relations: names(vocabulary?.relations.length ?? Math.max(1, texts.relations)),
  };
  // A tagger's pairs are queries; what others find is matched with few pairs as with many, as far as memory goes.
  const pairs = settings.task === 'tagger' ? model.pairs : Math.min(model.pairs, FEW_PAIRS);
  const targets = Array.from({ length: batch }, () => anyTargets(pairs, set.relations.length));
  return {
    epoch: 0,
    position: 0,
    // Zeros that nobody writes to take no memory until they are looked at.
    pixels: new Float32Array(batch * height * width * 3),
    height,
    width,
    sizes: targets.map(() => ({ height, width })),
    images: targets.map((_, k) => ({ id: k, file: '' })),
    labels: set,
    targets,
    noisy: targets,
    hasNoise: settings.noise !== null,
    attentionMask: settings.noise !== null ? leakMask(targets, model.pairs) : null,
    slots: model.pairs,
    pairs: batch * model.pairs,
    positives: batch * model.pairs,
  };
}

function anyTargets(pairs: number, relations: number): PairTargets {
  const wanted = new Float32Array(pairs * relations);
  for (let pair = 0; pair < pairs; pair++) wanted[pair * relations] = 1;
  return {
    subjectBoxes: new Float32Array(4 * pairs).fill(0.5),
    objectBoxes: new Float32Array(4 * pairs).fill(0.5),
    subjectLabels: new Int32Array(pairs),
    objectLabels: new Int32Array(pairs),
    relations: wanted,
  };
}
