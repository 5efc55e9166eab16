import { join } from 'node:path';
import { RecordError, RelflowError } from '../errors.js';
import type { Id } from '../records/image.js';
import { augment, plainView, type View, type Views } from './augment.js';
import type { DecodedImages } from './decoded-images.js';
import { randomStream, STREAMS } from './random-stream.js';
import { type BatchOptions, type DataPosition, type TrainingBatch, trainingBatch } from './training-batch.js';
import type { LocatedSample, TrainingData } from './training-data.js';

export interface BatchStreamOptions extends BatchOptions {
  /** Images a batch. */
  readonly batch: number;
  readonly views: Views;
  /** False for evaluation: images whole and as they are, batches that are not full too. */
  readonly training: boolean;
  /** Images that the shuffle holds. */
  readonly buffer: number;
  readonly decoded: DecodedImages;
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
 * batch is not trained on.
 * @throws RelflowError (`no-data`) where an epoch has not a single whole batch
 */
export async function* batchStream(
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> {
  for (let at = from; ; at = { epoch: at.epoch + 1, position: 0 }) {
    let whole = at.position > 0;
    for await (const item of epochBatches(data, options, at, signal)) {
      whole = true;
      yield item;
    }
    if (!whole)
      throw new RelflowError(
        'no-data',
        `training: no batch of ${options.batch} images can be filled, ${data.census.total} are there and some can't be read`,
      );
  }
}

/** The batches of one epoch from a position on. */
export async function* epochBatches(
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> {
  const { seed, batch: size, views: variation, training, buffer } = options;
  const { epoch } = from;
  const samples = data.epoch({ seed, epoch, skip: from.position, buffer }, signal);
  const view = async ({ sample, images }: LocatedSample, position: number): Promise<View> => {
    const image = await options.decoded.read(join(images, sample.image.file));
    return training
      ? augment(randomStream(seed, STREAMS.view, epoch, position), image, sample, variation)
      : plainView(image, sample, variation);
  };
  let [position, start] = [from.position, from.position];
  let views: View[] = [];
  let rejects: StreamedBatch['rejects'] = [];
  const whole = (): StreamedBatch => {
    const item = {
      batch: trainingBatch(views, { epoch, position: start }, data.census.vocabularies, options),
      next: { epoch, position },
      rejects,
    };
    [views, rejects, start] = [[], [], position];
    return item;
  };
  try {
    for (let ended = false; !ended; ) {
      // As many as the batch still needs are decoded at once.
      const wanted: LocatedSample[] = [];
      while (wanted.length < size - views.length) {
        const { value, done } = await samples.next();
        if (done) {
          ended = true;
          break;
        }
        wanted.push(value);
      }
      const first = position;
      position += wanted.length;
      const read = await Promise.allSettled(wanted.map((item, k) => view(item, first + k)));
      for (const [k, result] of read.entries()) {
        if (result.status === 'fulfilled') views.push(result.value);
        else if (result.reason instanceof RecordError) {
          const { reason, message } = result.reason;
          rejects = [...rejects, { image: wanted[k]!.sample.image.id, reason, message }];
        } else throw result.reason;
      }
      if (views.length === size) yield whole();
    }
    if (!training && views.length > 0) yield whole();
  } finally {
    await samples.return(undefined);
  }
}

/** Up to `depth` items are made before they are asked for, while the consumer is busy with others. */
export async function* prefetch<T>(items: AsyncGenerator<T>, depth: number): AsyncGenerator<T> {
  const waiting: Promise<IteratorResult<T>>[] = [];
  const ask = () => {
    const next = items.next();
    // Who takes it sees the error; until then it is no unhandled one.
    next.catch(() => {});
    waiting.push(next);
  };
  try {
    for (;;) {
      while (waiting.length <= depth) ask();
      const { value, done } = await waiting.shift()!;
      if (done) return;
      yield value;
    }
  } finally {
    await Promise.allSettled(waiting);
    await items.return(undefined);
  }
}
