import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordError, RelflowError } from '../../errors.js';
import type { ImageRecord } from '../../records/image.js';
import { increment } from '../../records/increment.js';
import type { Source } from '../../records/ports.js';
import type { Related } from '../../records/scene-graph.js';
import { type ChosenImages, FewShot } from './few-shot.js';
import { ImageList } from './image-list.js';
import type { Vocabularies } from './label-set.js';
import { randomStream, STREAMS } from './random-stream.js';
import { refusedImages } from './refused-images.js';
import { shuffleStream } from './shuffle-stream.js';
import {
  type CountProblem,
  type TrainingSample,
  type TrainingSampleOptions,
  trainingSample,
} from './training-sample.js';
import { WeightedSampler } from './weighted-sampler.js';

/** A data set to train on. */
export interface DataSet {
  /** Yields images with detections and relations. */
  readonly source: Source<ImageRecord & Related>;
  /** The folder of the images: `image.file` is relative to it. */
  readonly images: string;
  /** Keeps images without a relation, see `TrainingSampleOptions`. Default false. */
  readonly keepsImagesWithoutRelations?: boolean;
}

/** Options of `TrainingData`. */
export interface DataOptions extends TrainingSampleOptions {
  /** The part of all images that is used, see `FewShot`; all images if omitted. */
  readonly fewShot?: { readonly share: number; readonly seed: number };
  /** The file that lists the images to use, see `ImageList`. */
  readonly imageList?: string;
}

/** A sample with the folder of its image. */
export interface LocatedSample {
  readonly sample: TrainingSample;
  readonly images: string;
}

/** Counts of the data sets. */
export interface DataSummary {
  /** Usable images of each set. */
  readonly sizes: readonly number[];
  /** Usable images of all sets. */
  readonly total: number;
  /** Number of rejected records, by reason. */
  readonly rejects: Readonly<Record<string, number>>;
  /** Number of boxes and relations that usable records lose, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  readonly vocabularies: Vocabularies;
  /** Number of relations by predicate, most frequent first. */
  readonly relations: ReadonlyMap<string, number>;
}

/**
 * Reads data sets as one: once to count their names, then once for each epoch. Only the shuffle buffer is in memory.
 */
export class TrainingData {
  readonly #sets: readonly DataSet[];
  readonly #options: DataOptions;
  /** The chosen images of each set; null if all are chosen. */
  readonly #chosen: readonly ChosenImages[] | null;
  readonly summary: DataSummary;

  private constructor(
    sets: readonly DataSet[],
    options: DataOptions,
    chosen: readonly ChosenImages[] | null,
    summary: DataSummary,
  ) {
    this.#sets = sets;
    this.#options = options;
    this.#chosen = chosen;
    this.summary = summary;
  }

  /**
   * Reads all sets once, and counts usable images and names.
   * @throws RelflowError (`no-data`) when no image is usable, with the number of rejects by reason
   * @throws OptionError when the images of `fewShot` are too few for every name to occur
   * @throws InputError when `imageList` is not a list of usable images
   * @throws the signal's reason once it is aborted
   */
  static async open(sets: readonly DataSet[], options: DataOptions, signal: AbortSignal): Promise<TrainingData> {
    const few = options.fewShot ? new FewShot() : null;
    const list = options.imageList === undefined ? null : await ImageList.read(options.imageList);
    const sizes: number[] = [];
    const [rejects, leftOut] = [new Map<string, number>(), new Map<string, number>()];
    const [objects, relations] = [new Map<string, number>(), new Map<string, number>()];
    for (const [index, set] of sets.entries()) {
      let size = 0;
      const samples = readSet(
        set,
        options,
        signal,
        (reason) => increment(rejects, reason),
        (problem) => increment(leftOut, problem),
      );
      for await (const sample of samples) {
        const { categories, pairs } = sample;
        few?.add(index, size, sample);
        list?.add(index, size, sample);
        size++;
        for (const category of categories) increment(objects, category);
        for (const { predicates } of pairs) for (const predicate of predicates) increment(relations, predicate);
      }
      sizes.push(size);
    }
    if (sum(sizes) === 0) {
      const reasons = refusedImages(Object.fromEntries(rejects)) || 'the sets are empty';
      throw new RelflowError('no-data', `training: no image to train on: ${reasons}`, Object.fromEntries(rejects));
    }
    const { share, seed } = options.fewShot ?? { share: 1, seed: 0 };
    const drawn = few?.choose(randomStream(seed, STREAMS.fewShot), share, sets.length);
    const chosen = drawn ?? list?.choose(sets.length) ?? null;
    if (chosen) for (const k of sizes.keys()) sizes[k] = sum([...chosen[k]!.values()]);
    const [byObject, byRelation] = [mostFrequentFirst(objects), mostFrequentFirst(relations)];
    return new TrainingData(sets, options, chosen, {
      sizes,
      total: sum(sizes),
      rejects: Object.fromEntries(mostFrequentFirst(rejects)),
      leftOut: Object.fromEntries(mostFrequentFirst(leftOut)),
      vocabularies: { objects: new WeightedSampler(byObject), relations: new WeightedSampler(byRelation) },
      relations: byRelation,
    });
  }

  /**
   * Yields the samples of an epoch in its order. Sets are interleaved in proportion to their sizes before they are
   * shuffled, so that they are mixed even by a shuffle buffer that is smaller than a set.
   * @param skip samples at the beginning that are not yielded
   * @param shuffleBuffer in images; 1 leaves the order as it is
   */
  async *epoch(
    {
      seed,
      epoch,
      skip,
      shuffleBuffer,
    }: { readonly seed: number; readonly epoch: number; readonly skip: number; readonly shuffleBuffer: number },
    signal: AbortSignal,
  ): AsyncGenerator<LocatedSample> {
    let position = 0;
    const random = randomStream(seed, STREAMS.shuffle, epoch);
    for await (const item of shuffleStream(this.#interleaved(signal), shuffleBuffer, random))
      if (position++ >= skip) yield item;
  }

  async *#interleaved(signal: AbortSignal): AsyncGenerator<LocatedSample> {
    const { sizes } = this.summary;
    const readers = this.#sets.map((set, k) => {
      const all = readSet(set, this.#options, signal, ignore, ignore);
      return this.#chosen ? atPositions(all, this.#chosen[k]!) : all;
    });
    const taken = sizes.map(() => 0);
    try {
      for (;;) {
        let next = -1;
        for (const [k, size] of sizes.entries()) {
          if (taken[k]! >= size) continue;
          if (next < 0 || (taken[k]! + 0.5) / size < (taken[next]! + 0.5) / sizes[next]!) next = k;
        }
        if (next < 0) return;
        taken[next]!++;
        const { value, done } = await readers[next]!.next();
        if (done)
          throw new RelflowError(
            'data-changed',
            `training: data set ${next} has become shorter during the training, expected ${sizes[next]} images`,
          );
        yield { sample: value, images: this.#sets[next]!.images };
      }
    } finally {
      for (const reader of readers) await reader.return();
    }
  }
}

const ignore = () => {};

const sum = (sizes: readonly number[]): number => sizes.reduce((before, size) => before + size, 0);

async function* atPositions(
  samples: AsyncGenerator<TrainingSample, void, void>,
  positions: ChosenImages,
): AsyncGenerator<TrainingSample, void, void> {
  let position = 0;
  for await (const sample of samples) for (let count = positions.get(position++) ?? 0; count > 0; count--) yield sample;
}

/** Yields the usable samples of a set, in its order. */
async function* readSet(
  { source, keepsImagesWithoutRelations = false }: DataSet,
  options: TrainingSampleOptions,
  signal: AbortSignal,
  countReject: CountProblem,
  countLeftOut: CountProblem,
): AsyncGenerator<TrainingSample, void, void> {
  const tempDir = await mkdtemp(join(tmpdir(), 'relflow-'));
  try {
    for await (const { record, rejects = [] } of source.read({ signal, tempDir, progress: ignore })) {
      signal.throwIfAborted();
      for (const { reason } of rejects) countReject(reason);
      if (!record) continue;
      let sample: TrainingSample;
      try {
        sample = trainingSample(record, { ...options, keepsImagesWithoutRelations }, countLeftOut);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        countReject(error.reason);
        continue;
      }
      yield sample;
    }
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
}

/** Sorts by falling count and then by name, so that the order does not depend on the order of reading. */
const mostFrequentFirst = (counts: ReadonlyMap<string, number>): Map<string, number> =>
  new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
