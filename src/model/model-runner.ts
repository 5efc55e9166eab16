import type * as tf from '@tensorflow/tfjs-core';
import type { MemoryGeometry } from './geometry.js';
import type { PreparedImage } from './image/prepare-image.js';
import type { GivenPairs, PairGroup } from './query-source.js';
import { dataTensor } from './recording/data-tensor.js';
import { eagerPasses, type ModelPasses, type NamedTensors } from './recording/model-passes.js';
import type { Encoded, LabelSet, LayerOutput, RlipV2 } from './rlip-v2.js';
import { type LabelLists, LabelTensors } from './text/label-tensors.js';
import type { LabelVectors } from './text/label-vectors.js';

/** Labels of a recorded pass are padded to a multiple of this; those of the relations are last. */
const LABELS = 16;

/** Least number of pairs in a group of a recorded pass; the next are twice as many each. */
const SLOTS = 10;

const NO_PAIRS: PairGroup = {
  subjectBoxes: new Float32Array(0),
  objectBoxes: new Float32Array(0),
  subjectLabels: new Int32Array(0),
  objectLabels: new Int32Array(0),
};

/** Outputs of the decoders for pairs of each image. */
export interface DecodedGroups {
  /** What the caller reads of the last layer, `[images · groups, slots, …]`; the caller disposes of it. */
  readonly outputs: NamedTensors;
  /** Groups of each image, padding included. */
  readonly groups: number;
}

/** Runs a loaded model on images; where passes are recorded, its inputs are padded so that their shapes are few. */
export class ModelRunner {
  readonly #model: RlipV2;
  readonly #vectors: LabelVectors;
  readonly #tensors: LabelTensors;
  readonly #passes: ModelPasses;

  constructor(
    { model, vectors }: { readonly model: RlipV2; readonly vectors: LabelVectors },
    passes: ModelPasses = eagerPasses,
  ) {
    this.#model = model;
    this.#vectors = vectors;
    this.#tensors = new LabelTensors(vectors);
    this.#passes = passes;
  }

  /** Whether passes are recorded, so that all images of a batch are best decoded at once. */
  get isRecorded(): boolean {
    return this.#passes.isRecorded;
  }

  /** Recordings that were made so far, and the seconds that they took. */
  get warmUp(): ModelPasses['warmUp'] {
    return this.#passes.warmUp;
  }

  /** Returns the number of labels with padding; images of a batch need the same. */
  labelSlots({ objects, relations }: LabelLists): number {
    const count = objects.length + relations.length;
    return this.isRecorded ? LABELS * Math.ceil(count / LABELS) : count;
  }

  /**
   * Encodes images of one size.
   * @param labels of each image: as many objects, the last of which is `no objects`, and the same `labelSlots`
   * @returns tensors that the caller must dispose
   */
  async encode(images: readonly PreparedImage[], labels: readonly LabelLists[]): Promise<Encoded> {
    const [{ height, width }] = images as readonly [PreparedImage];
    const sizes = images.map(() => ({ height, width }));
    const objectCount = labels[0]!.objects.length;
    const pixels = joined(images.map((image) => image.pixels));
    const padded = this.isRecorded ? await this.#paddedLabels(labels) : null;
    const given: NamedTensors = padded ? {} : { vectors: await this.#tensors.of(labels) };
    const inputs = () => ({
      pixels: dataTensor<tf.Tensor4D>('pixels', pixels, [images.length, height, width, 3]),
      labels: padded?.() ?? { vectors: given['vectors'] as tf.Tensor2D | tf.Tensor3D },
    });
    try {
      const outputs = await this.#passes.run({
        key: JSON.stringify(['encode', images.length, height, width, objectCount]),
        given,
        collectData: () => void inputs(),
        run: () => {
          const made = inputs();
          return tensorsOf(this.#model.encode({ pixels: made.pixels, sizes }, { ...made.labels, objectCount }));
        },
      });
      const levels = this.#model.levels({ height, width }, sizes)!;
      return encodedOf(outputs, { levels, batch: images.length }, objectCount);
    } finally {
      for (const tensor of Object.values(given)) tensor.dispose();
    }
  }

  /**
   * Runs the decoders.
   * @param groups groups of pairs of each image; undefined for a model that finds pairs
   * @param read returns outputs of the last layer by name; `name` stands for it
   */
  async decode(
    encoded: Encoded,
    groups: readonly (readonly PairGroup[])[] | undefined,
    { name, read }: { readonly name: string; readonly read: (last: LayerOutput) => NamedTensors },
  ): Promise<DecodedGroups> {
    const { geometry, objectCount } = encoded;
    const { batch, levels } = geometry;
    const given = groups && this.#padded(groups);
    const outputs = await this.#passes.run({
      key: JSON.stringify(['decode', name, batch, levels, objectCount]),
      given: tensorsOf(encoded),
      collectData: () => given && this.#model.collectQueries(batch, objectCount, given),
      run: () => read(this.#model.decode(encoded, given).at(-1)!),
    });
    return { outputs, groups: given ? given.groups.length / batch : 1 };
  }

  /** Frees what is recorded. */
  dispose(): void {
    this.#passes.dispose();
  }

  async #paddedLabels(
    labels: readonly LabelLists[],
  ): Promise<() => Required<Pick<LabelSet, 'vectors' | 'paddingMask'>>> {
    const { width } = this.#model.config.text;
    const slots = this.labelSlots(labels[0]!);
    const vectors = new Float32Array(labels.length * slots * width);
    const padding = new Float32Array(labels.length * slots);
    for (const [k, { objects, relations }] of labels.entries()) {
      vectors.set(await this.#vectors.of([...objects, ...relations]), k * slots * width);
      padding.fill(1, k * slots + objects.length + relations.length, (k + 1) * slots);
    }
    return () => ({
      vectors: dataTensor<tf.Tensor3D>('labels.vectors', vectors, [labels.length, slots, width]),
      paddingMask: dataTensor<tf.Tensor2D>('labels.padding', padding, [labels.length, slots]),
    });
  }

  /** Gives each image the same number of groups; where passes are recorded, the numbers of groups and pairs are few. */
  #padded(groups: readonly (readonly PairGroup[])[]): GivenPairs {
    const most = Math.max(...groups.map(({ length }) => length));
    const count = this.isRecorded ? 2 ** Math.ceil(Math.log2(most)) : most;
    const all = groups.flatMap((list) => [...list, ...Array<PairGroup>(count - list.length).fill(NO_PAIRS)]);
    if (!this.isRecorded) return { groups: all };
    const largest = Math.max(...all.map(({ subjectLabels }) => subjectLabels.length), 1);
    const slots = SLOTS * 2 ** Math.max(0, Math.ceil(Math.log2(largest / SLOTS)));
    return { groups: all, slots: Math.max(largest, Math.min(slots, this.#model.config.pairs)) };
  }
}

/** Joins arrays; one alone is not copied. */
function joined(arrays: readonly Float32Array[]): Float32Array {
  if (arrays.length === 1) return arrays[0]!;
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    all.set(array, start);
    start += array.length;
  }
  return all;
}

const tensorsOf = ({ memory, geometry: { validRatios, validMask }, labels, paddingMask }: Encoded): NamedTensors => ({
  memory,
  validRatios,
  ...(validMask && { validMask }),
  ...(paddingMask && { paddingMask }),
  ...Object.fromEntries(labels.map((states, k) => [`labels.${k}`, states])),
});

function encodedOf(
  tensors: NamedTensors,
  { levels, batch }: Pick<MemoryGeometry, 'levels' | 'batch'>,
  objectCount: number,
): Encoded {
  const labels: tf.Tensor3D[] = [];
  while (tensors[`labels.${labels.length}`]) labels.push(tensors[`labels.${labels.length}`] as tf.Tensor3D);
  return {
    memory: tensors['memory'] as tf.Tensor3D,
    geometry: {
      levels,
      batch,
      validRatios: tensors['validRatios'] as tf.Tensor3D,
      validMask: (tensors['validMask'] as tf.Tensor3D | undefined) ?? null,
    },
    labels,
    objectCount,
    paddingMask: (tensors['paddingMask'] as tf.Tensor2D | undefined) ?? null,
  };
}
