import { join } from 'node:path';
import { RelflowError } from '../../errors.js';
import type { Id } from '../../records/image.js';
import type { AugmentedImage } from './augment-image.js';
import type { AugmentedImageReader } from './augmented-image-reader.js';
import { prefetch } from './prefetch.js';
import { type BatchOptions, type DataPosition, type TrainingBatch, trainingBatch } from './training-batch.js';
import type { LocatedSample, TrainingData } from './training-data.js';

export interface BatchStreamOptions extends BatchOptions {
  /** Images a batch. */
  readonly batchSize: number;
  /** False for evaluation: images whole and as they are, batches that are not full too. */
  readonly training: boolean;
  /** Images that the shuffle holds. */
  readonly shuffleBuffer: number;
  /** The caller's, who closes it. */
  readonly reader: AugmentedImageReader;
  /** Images that are read before their batch is asked for. */
  readonly prefetchImages: number;
}

/** A batch with where the next one begins, and what could not be read before it was full. */
export interface StreamedBatch {
  readonly batch: TrainingBatch;
  readonly next: DataPosition;
  readonly rejects: readonly { readonly image: Id; readonly reason: string; readonly message: string }[];
}

/**
 * Batches without end, epoch after epoch, from a position on: the same from there as in a run that was never stopped.
 * An image that can't be read is told of and another takes its place; what is left at the end of an epoch and fills no
 * batch is not trained on. While one batch is used, images of the next ones are read.
 * @throws RelflowError (`no-data`) where an epoch has not a single whole batch
 */
export const batchStream = (
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> => batches(data, options, from, Number.POSITIVE_INFINITY, signal);

/** The batches of one epoch from a position on. */
export const epochBatches = (
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> => batches(data, options, from, 1, signal);

async function* batches(
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  epochs: number,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> {
  const { seed, batchSize: size, training, reader } = options;
  const read = async (place: Place | null) => {
    if (place === null) return null;
    const { sample, images, ...at } = place;
    const path = join(images, sample.image.file);
    return {
      image: sample.image.id,
      ...(await reader.read({ path, sample, randomness: training ? { seed, ...at } : null })),
    };
  };
  let { epoch, position } = from;
  let start = position;
  let any = position > 0;
  let views: AugmentedImage[] = [];
  let rejects: StreamedBatch['rejects'] = [];
  const whole = (): StreamedBatch => {
    const item = {
      batch: trainingBatch(views, { epoch, position: start }, data.summary.vocabularies, options),
      next: { epoch, position },
      rejects,
    };
    [views, rejects, start, any] = [[], [], position, true];
    return item;
  };
  for await (const made of prefetch(places(data, options, from, epochs, signal), options.prefetchImages, read)) {
    if (made !== null) {
      position++;
      if ('view' in made) views.push(made.view);
      else rejects = [...rejects, { image: made.image, ...made.reject }];
      if (views.length === size) yield whole();
      continue;
    }
    // The epoch is over.
    if (!training && views.length > 0) yield whole();
    else if (!any && epochs > 1)
      throw new RelflowError(
        'no-data',
        `training: no batch of ${size} images can be filled, ${data.summary.total} are there and some can't be read`,
      );
    [epoch, position, start, views, any] = [epoch + 1, 0, 0, [], false];
  }
}

type Place = LocatedSample & DataPosition;

/** Samples in the order of their epochs, from a position on; null behind the last one of each epoch. */
async function* places(
  data: TrainingData,
  { seed, shuffleBuffer: buffer }: BatchStreamOptions,
  from: DataPosition,
  epochs: number,
  signal: AbortSignal,
): AsyncGenerator<Place | null> {
  let { position } = from;
  for (let epoch = from.epoch; epoch < from.epoch + epochs; epoch++) {
    for await (const item of data.epoch({ seed, epoch, skip: position, buffer }, signal))
      yield { ...item, epoch, position: position++ };
    yield null;
    position = 0;
  }
}
