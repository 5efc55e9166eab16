import type { Parameter } from '../../src/model/parameter-scope.js';
import type { RlipV2 } from '../../src/model/rlip-v2.js';
import { CachedLabelVectors, rlipForward, type TrainingBatch, taggerForward } from '../../src/training/index.js';
import { FIXED_TOKENS } from '../../src/training/recorded/fixed-shapes.js';

/** Tokenizer of made-up labels `o0`, `r81`, …, each of which has four tokens. */
export const madeUpTokenizer = {
  encode: (name: string) => [0, 500 + Number(name.slice(1)), 600 + Number(name.slice(1)), 2],
};

/** Sets weights of about the right size from one table: drawing two hundred million numbers would take longer. */
export function setMadeUpWeights(parameters: Iterable<Parameter>): void {
  const table = new Float32Array(1 << 20);
  let state = 1;
  for (let k = 0; k < table.length; k++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    table[k] = state / 2 ** 31 - 1;
  }
  let start = 0;
  for (const parameter of parameters) {
    const { name: of, shape, size } = parameter;
    const inputs = shape.slice(1).reduce((product, n) => product * n, 1);
    const isVector = shape.length === 1;
    const [offset, scale] = of.endsWith('running_var')
      ? [1, 0.2]
      : of.endsWith('sampling_offsets.bias')
        ? [0, 2]
        : isVector
          ? of.endsWith('weight')
            ? [1, 0.1]
            : [0, 0.05]
          : of.includes('_embed')
            ? [0, 0.5]
            : [0, Math.sqrt(3 / inputs)];
    parameter.set(Float32Array.from({ length: size }, (_, k) => offset! + scale! * table[(start + k) & 0xfffff]!));
    start += size + 12_345;
  }
}

/** Returns the forward pass of a training on made-up labels: of a tagger, or of RLIPv2. */
export function madeUpForward(model: RlipV2, isTagger: boolean) {
  const labels = new CachedLabelVectors(model, madeUpTokenizer, true, FIXED_TOKENS);
  return isTagger
    ? taggerForward(model, labels)
    : rlipForward(model, labels, { qualityLabels: true, pseudoLabels: true });
}

/** What a made-up batch has. */
export interface MadeUpBatch {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  /** Whether the batch has the mask of a tagger's denoising. */
  readonly isTagger: boolean;
}

/** Returns a batch of random pixels with 100 pairs and 100 labels an image. */
export function madeUpBatch({ images, height, width, isTagger }: MadeUpBatch): TrainingBatch {
  const [objects, relations, pairs] = [81, 19, 100];
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const boxes = () =>
    Float32Array.from({ length: 4 * pairs }, (_, k) => (k % 4 < 2 ? 0.25 + 0.5 * random() : 0.1 + 0.3 * random()));
  const labels = () => Int32Array.from({ length: pairs }, () => Math.floor(80 * random()));
  const targets = Array.from({ length: images }, () => ({
    subjectBoxes: boxes(),
    objectBoxes: boxes(),
    subjectLabels: labels(),
    objectLabels: labels(),
    relations: Float32Array.from({ length: pairs * relations }, (_, k) =>
      k % relations === 0 || random() < 0.1 ? 1 : 0,
    ),
  }));
  return {
    epoch: 0,
    position: 0,
    pixels: Float32Array.from({ length: images * height * width * 3 }, () => 2 * random() - 1),
    height,
    width,
    sizes: targets.map(() => ({ height, width })),
    images: targets.map((_, id) => ({ id, file: `${id}` })),
    labels: {
      objects: Array.from({ length: objects }, (_, k) => `o${k}`),
      relations: Array.from({ length: relations }, (_, k) => `r${k + objects}`),
    },
    targets,
    noisy: targets,
    hasNoise: false,
    attentionMask: isTagger ? new Float32Array(images * 4 * pairs * pairs) : null,
    slots: pairs,
    pairs: images * pairs,
    positives: images * pairs,
  } as TrainingBatch;
}
