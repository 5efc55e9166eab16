import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordError, RelflowError } from '../../errors.js';
import type { ImageRecord } from '../../records/image.js';
import type { Source } from '../../records/ports.js';
import type { Related } from '../../records/scene-graph.js';
import { FewShot } from './few-shot.js';
import type { Vocabularies } from './label-set.js';
import { randomStream, STREAMS } from './random-stream.js';
import { shuffleStream } from './shuffle-stream.js';
import {
  type CountProblem,
  type TrainingSample,
  type TrainingSampleOptions,
  trainingSample,
} from './training-sample.js';
import { WeightedSampler } from './weighted-sampler.js';

/** A data set to train on: what holds of its images, and where these are. */
export interface DataSet {
  readonly source: Source<ImageRecord & Related>;
  /** The folder that images' paths are below. */
  readonly images: string;
}

export interface DataOptions extends TrainingSampleOptions {
  /** Which of all images are learnt from; absent for all of them. */
  readonly fewShot?: { readonly share: number; readonly seed: number };
}

/** A sample with the folder of its image. */
export interface LocatedSample {
  readonly sample: TrainingSample;
  readonly images: string;
}

/** What a first reading finds. */
export interface DataSummary {
  /** Usable images of each set. */
  readonly sizes: readonly number[];
  readonly total: number;
  /** Records that nothing is learnt from, by reason. */
  readonly rejects: Readonly<Record<string, number>>;
  /** What was left out of others, by name. */
  readonly leftOut: Readonly<Record<string, number>>;
  readonly vocabularies: Vocabularies;
  readonly relations: ReadonlyMap<string, number>;
}

/**
 * Data sets as one: counted once, then read as often as there are epochs. Nothing but the shuffle's buffer is kept in
 * memory.
 */
export class TrainingData {
  readonly #sets: readonly DataSet[];
  readonly #options: DataOptions;
  /** Of each set, which of its usable images are taken, counted from 0; null for all. */
  readonly #taken: readonly ReadonlySet<number>[] | null;
  readonly summary: DataSummary;

  private constructor(
    sets: readonly DataSet[],
    options: DataOptions,
    taken: readonly ReadonlySet<number>[] | null,
    census: DataSummary,
  ) {
    this.#sets = sets;
    this.#options = options;
    this.#taken = taken;
    this.summary = census;
  }

  /**
   * Reads all sets once: how many usable images there are, and how often which name comes.
   * @throws RelflowError (`no-data`) where nothing can be learnt from, with what was wrong by reason
   * @throws OptionError where so few images can't hold every name
   */
  static async open(sets: readonly DataSet[], options: DataOptions, signal: AbortSignal): Promise<TrainingData> {
    const few = options.fewShot ? new FewShot() : null;
    const sizes: number[] = [];
    const [rejects, leftOut] = [new Map<string, number>(), new Map<string, number>()];
    const [objects, relations] = [new Map<string, number>(), new Map<string, number>()];
    const add = (counts: Map<string, number>, name: string, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by);
    for (const [index, set] of sets.entries()) {
      let size = 0;
      const read = readSet(
        set,
        options,
        signal,
        (reason) => add(rejects, reason),
        (problem) => add(leftOut, problem),
      );
      for await (const sample of read) {
        const { categories, pairs } = sample;
        few?.add(index, size, sample);
        size++;
        for (const category of categories) add(objects, category);
        for (const { predicates } of pairs) for (const predicate of predicates) add(relations, predicate);
      }
      sizes.push(size);
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total === 0) {
      const why = [...rejects].map(([reason, count]) => `${count} ${reason}`).join(', ') || 'the sets are empty';
      throw new RelflowError('no-data', `training: no image to learn from (${why})`, Object.fromEntries(rejects));
    }
    const { share, seed } = options.fewShot ?? { share: 1, seed: 0 };
    const taken = few?.choose(randomStream(seed, STREAMS.fewShot), share, sets.length) ?? null;
    if (taken) for (const k of sizes.keys()) sizes[k] = taken[k]!.size;
    const [byObject, byRelation] = [frequentFirst(objects), frequentFirst(relations)];
    return new TrainingData(sets, options, taken, {
      sizes,
      total: sizes.reduce((sum, size) => sum + size, 0),
      rejects: Object.fromEntries(frequentFirst(rejects)),
      leftOut: Object.fromEntries(frequentFirst(leftOut)),
      vocabularies: { objects: new WeightedSampler(byObject), relations: new WeightedSampler(byRelation) },
      relations: byRelation,
    });
  }

  /**
   * An epoch's samples in their order, from the one behind `skip` on. Sets are mixed in proportion to their sizes before
   * they are shuffled, so that a buffer smaller than a set does not keep them apart.
   * @param buffer images that the shuffle holds; 1 leaves the order as it is
   */
  async *epoch(
    { seed, epoch, skip, buffer }: { seed: number; epoch: number; skip: number; buffer: number },
    signal: AbortSignal,
  ): AsyncGenerator<LocatedSample> {
    let place = 0;
    const random = randomStream(seed, STREAMS.shuffle, epoch);
    for await (const item of shuffleStream(this.#mixed(signal), buffer, random)) if (place++ >= skip) yield item;
  }

  async *#mixed(signal: AbortSignal): AsyncGenerator<LocatedSample> {
    const { sizes } = this.summary;
    const readers = this.#sets.map((set, k) => {
      const all = readSet(set, this.#options, signal, ignore, ignore);
      return this.#taken ? only(all, this.#taken[k]!) : all;
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
        if (done) throw new RelflowError('data-changed', 'training: a data set became shorter while it was trained on');
        yield { sample: value, images: this.#sets[next]!.images };
      }
    } finally {
      for (const reader of readers) await reader.return();
    }
  }
}

const ignore = () => {};

/** The samples at some places. */
async function* only(
  samples: AsyncGenerator<TrainingSample, void, void>,
  places: ReadonlySet<number>,
): AsyncGenerator<TrainingSample, void, void> {
  let place = 0;
  for await (const sample of samples) if (places.has(place++)) yield sample;
}

/** Usable samples of a set, in its order. */
async function* readSet(
  { source }: DataSet,
  options: TrainingSampleOptions,
  signal: AbortSignal,
  reject: CountProblem,
  leaveOut: CountProblem,
): AsyncGenerator<TrainingSample, void, void> {
  const tempDir = await mkdtemp(join(tmpdir(), 'relflow-'));
  try {
    for await (const { record, rejects = [] } of source.read({ signal, tempDir, progress: ignore })) {
      signal.throwIfAborted();
      for (const { reason } of rejects) reject(reason);
      if (!record) continue;
      let sample: TrainingSample;
      try {
        sample = trainingSample(record, options, leaveOut);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        reject(error.reason);
        continue;
      }
      yield sample;
    }
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
}

/** By falling count; names that come as often in the order of the alphabet, so that the order of reading has no say. */
const frequentFirst = (counts: ReadonlyMap<string, number>): Map<string, number> =>
  new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
