import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import { evaluateShapes } from '../model/backends/evaluate-shapes.js';
import { seededDropout } from '../model/layers/dropout.js';
import { NO_OBJECTS } from '../model/no-objects.js';
import { RlipV2 } from '../model/rlip-v2.js';
import type { Tokenizer } from '../model/text/tokenizer.js';
import { createForward } from './create-forward.js';
import { denoisingLeakMask } from './data/denoising.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { PairTargets } from './loss/pair-targets.js';
import { lossGradients } from './loss-gradients.js';
import { AdamW } from './optimizer/adam-w.js';
import { Ema } from './optimizer/ema.js';
import type { TrainingSettings } from './settings/training-settings.js';

/** The address space of WebAssembly. */
export const WASM_BYTES = 2 ** 32;

/** The memory of a step, in bytes. */
export interface StepMemory {
  readonly weights: number;
  /** Of the trained weights. */
  readonly gradients: number;
  /** Both moments of the optimizer, and the moving average if there is one. */
  readonly optimizer: number;
  /** Everything else that is in memory at the peak. */
  readonly activations: number;
  /** All of them at the peak. */
  readonly peak: number;
}

/** Tokens of a label: about as many as the longest label of a batch has, to which all labels are padded. */
const LABEL_TOKENS = 16;
const FEW_PAIRS = 12;

/**
 * Estimates the memory of a step by running the model's own code, losses and optimizer on shapes: nothing is allocated. Arrays that
 * share memory are counted once; fragmentation of the heap is not included.
 * @param batch of the step; omitted for the largest that the settings allow: its images, labels and pairs have their upper bounds
 */
export async function stepMemory(settings: TrainingSettings, batch?: TrainingBatch): Promise<StepMemory> {
  const { peakBytes, result } = await evaluateShapes(async () => {
    const model = new RlipV2(settings.model);
    for (const parameter of model.parameters.values()) parameter.set(new Float32Array(parameter.size));
    const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
    const ema = settings.emaDecay === null ? null : new Ema(model.parameters.values(), settings.emaDecay);
    const forward = createForward(settings, model, fixedLengthTokenizer);
    try {
      // Moments exist from the second step on. Any tensors of the right shapes create them.
      const { variables } = optimizer;
      optimizer.apply(Object.fromEntries(variables.map((variable) => [variable.name, variable])), 1, 0.5);
      const { gradients } = await lossGradients(forward, batch ?? largestBatch(settings), variables, () =>
        seededDropout(0),
      );
      optimizer.apply(gradients, 1, 0.5);
      ema?.update(1);
      tf.dispose(gradients);
      const bytes = (parameters: readonly { readonly size: number }[]) =>
        4 * parameters.reduce((sum, { size }) => sum + size, 0);
      const all = [...model.parameters.values()];
      const trained = bytes(optimizer.variables);
      return {
        weights: bytes(all),
        gradients: trained,
        optimizer: 2 * trained + (ema ? bytes(all.filter((parameter) => parameter.trained)) : 0),
      };
    } finally {
      ema?.dispose();
      optimizer.dispose();
      model.dispose();
    }
  });
  const { weights, gradients, optimizer } = result;
  return { ...result, activations: Math.max(0, peakBytes - weights - gradients - optimizer), peak: peakBytes };
}

/** Changed settings that need less memory. */
export interface Remedy {
  /** The changes in words. */
  readonly change: string;
  readonly settings: TrainingSettings;
}

/** Returns changes that save memory, ordered by how little they are expected to change what is learned. */
function remedies(settings: TrainingSettings): Remedy[] {
  const found: Remedy[] = [];
  let [current, changes] = [settings, [] as string[]];
  const add = (change: string, changed: TrainingSettings) => {
    [current, changes] = [changed, [...changes, change]];
    found.push({ change: changes.join(', '), settings: current });
  };
  const { batchSize, accumulationSteps, optimizer, augmentation } = settings;
  const images = batchSize * accumulationSteps;
  if (batchSize > 1)
    add(`batchSize 1 with accumulationSteps ${images}`, { ...current, batchSize: 1, accumulationSteps: images });
  if (optimizer.textLearningRate > 0)
    add('optimizer.textLearningRate 0 (frozen text encoder)', {
      ...current,
      optimizer: { ...optimizer, textLearningRate: 0 },
    });
  if (settings.emaDecay !== null) add('no emaDecay', { ...current, emaDecay: null });
  const largest = Math.max(...augmentation.shorterSides);
  for (const shorter of [640, 480, 320, 224, 128]) {
    if (shorter >= largest) continue;
    const { crop: _, ...uncropped } = augmentation;
    const maxSize = Math.round((shorter * augmentation.maxSize) / largest);
    const smaller = { ...uncropped, shorterSides: [shorter], maxSize };
    found.push({
      change: [...changes, `images of ${shorter} × ${maxSize}`].join(', '),
      settings: { ...current, augmentation: smaller },
    });
  }
  return found;
}

/**
 * Finds changed settings whose step fits into a memory.
 * @param limit in bytes
 * @returns the first changes that fit; null if none does
 */
export async function suggestMemoryRemedies(
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
 * Checks that a step fits into the memory of the wasm backend.
 * @param memory of the step, see `stepMemory`
 * @throws RelflowError (`out-of-memory`) when it does not, suggesting settings that do
 */
export async function checkMemoryFits(settings: TrainingSettings, memory: StepMemory): Promise<void> {
  if (memory.peak <= WASM_BYTES) return;
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const smaller = await suggestMemoryRemedies(settings, WASM_BYTES);
  const advice = smaller
    ? `${smaller.change} would fit (${gigabytes(smaller.peak)})`
    : 'no smaller batch or image would fit';
  throw new RelflowError(
    'out-of-memory',
    `training: a step of ${settings.model.name} takes ${gigabytes(memory.peak)} (weights ${gigabytes(memory.weights)}, gradients ${gigabytes(memory.gradients)}, optimizer ${gigabytes(memory.optimizer)}, activations ${gigabytes(memory.activations)}), but backend wasm has 4 GiB; ${advice}; backend tensorflow can use all memory of the machine`,
    { ...memory, limit: WASM_BYTES, wouldFit: smaller?.change ?? null },
  );
}

const fixedLengthTokenizer: Tokenizer = {
  encode: () => Array.from({ length: LABEL_TOKENS }, (_, k) => k),
} as unknown as Tokenizer;

/** Returns the largest batch that settings allow. */
function largestBatch(settings: TrainingSettings): TrainingBatch {
  const { batchSize, model, labels: counts, augmentation, canvasMultiple = 1 } = settings;
  const padded = (pixels: number) => canvasMultiple * Math.ceil(pixels / canvasMultiple);
  const shorter = Math.max(...augmentation.shorterSides);
  const width = padded(Math.max(shorter, augmentation.maxSize));
  // A batch with a wide image and a tall one is as wide as the one and as tall as the other.
  const height = batchSize > 1 ? width : padded(shorter);
  const vocabulary = settings.task === 'tagger' ? null : settings.vocabulary;
  const names = (count: number) => Array.from({ length: count }, (_, k) => `${k}`);
  const labels = {
    objects: [...names(vocabulary?.objects.length ?? Math.max(1, counts.objects)), NO_OBJECTS],
    relations: names(vocabulary?.relations.length ?? Math.max(1, counts.relations)),
  };
  // A tagger's queries are its pairs; in matching, the number of pairs hardly changes the memory.
  const pairs = settings.task === 'tagger' ? model.pairs : Math.min(model.pairs, FEW_PAIRS);
  const targets = Array.from({ length: batchSize }, () => anyTargets(pairs, labels.relations.length));
  return {
    epoch: 0,
    position: 0,
    // The operating system allocates no memory for zeros that are never written.
    pixels: new Float32Array(batchSize * height * width * 3),
    height,
    width,
    sizes: targets.map(() => ({ height, width })),
    images: targets.map((_, k) => ({ id: k, file: '' })),
    labels,
    targets,
    noisy: targets,
    hasNoise: settings.noise !== null,
    attentionMask: settings.noise !== null ? denoisingLeakMask(targets, model.pairs) : null,
    slots: model.pairs,
    pairs: batchSize * model.pairs,
    positives: batchSize * model.pairs,
  };
}

function anyTargets(pairs: number, relations: number): PairTargets {
  const held = new Float32Array(pairs * relations);
  for (let pair = 0; pair < pairs; pair++) held[pair * relations] = 1;
  return {
    subjectBoxes: new Float32Array(4 * pairs).fill(0.5),
    objectBoxes: new Float32Array(4 * pairs).fill(0.5),
    subjectLabels: new Int32Array(pairs),
    objectLabels: new Int32Array(pairs),
    relations: held,
  };
}
