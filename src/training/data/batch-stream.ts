import { RecordError, RelflowError } from '../../errors.js';
import { findImageFile, imageContent, imageName } from '../../files/image-stores/find-image-file.js';
import type { Id } from '../../records/image.js';
import { addCount } from '../../records/stage-counts.js';
import type { AugmentedImage } from './augment-image.js';
import type { AugmentedImageReader } from './augmented-image-reader.js';
import { prefetch } from './prefetch.js';
import { refusedImages } from './refused-images.js';
import { type BatchOptions, type DataPosition, type TrainingBatch, trainingBatch } from './training-batch.js';
import type { LocatedSample, TrainingData } from './training-data.js';

/** Options of `batchStream` and `epochBatches`. */
export interface BatchStreamOptions extends BatchOptions {
  /** Images of a batch. */
  readonly batchSize: number;
  /** False for evaluation: images are not augmented, and the last batch of an epoch may have fewer images. */
  readonly training: boolean;
  /** Images in the shuffle buffer. */
  readonly shuffleBuffer: number;
  /** Reads the images; the caller closes it. */
  readonly reader: AugmentedImageReader;
  /** Images that are read ahead of their batch. */
  readonly prefetchImages: number;
}

/** A batch of a stream. */
export interface StreamedBatch {
  readonly batch: TrainingBatch;
  /** Where the next batch begins. */
  readonly next: DataPosition;
  /** Images that could not be read while the batch was filled. */
  readonly rejects: readonly { readonly image: Id; readonly reason: string; readonly message: string }[];
}

type Refused = StreamedBatch['rejects'][number];

/**
 * Streams batches from a position on, epoch after epoch without end. A stream that starts at a later position yields
 * the same batches from there. The next image replaces one that cannot be read; images that are left at the end of an
 * epoch and do not fill a batch are skipped. Images are read ahead while a batch is used.
 * @throws RelflowError (`no-data`) when an epoch does not fill a single batch; the message says how many images were refused and why
 */
export const batchStream = (
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> => streamBatches(data, options, from, Number.POSITIVE_INFINITY, signal);

/** Streams the batches of one epoch from a position on. */
export const epochBatches = (
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> => streamBatches(data, options, from, 1, signal);

async function* streamBatches(
  data: TrainingData,
  options: BatchStreamOptions,
  from: DataPosition,
  epochs: number,
  signal: AbortSignal,
): AsyncGenerator<StreamedBatch> {
  const { seed, batchSize, training, reader } = options;
  const read = async (item: PositionedSample | null) => {
    if (item === null) return null;
    const { sample, images: folder, ...at } = item;
    try {
      const source = await findImageFile(folder, sample.image.file);
      const path = imageName(source);
      // Content can be handed to a thread, a store cannot.
      const content = typeof source === 'string' ? undefined : ((await imageContent(source)) as Buffer);
      const randomness = training ? { seed, ...at } : null;
      const result = await reader.read({ path, sample, randomness, ...(content && { content }) });
      return { id: sample.image.id, result };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      return { id: sample.image.id, result: { reject: { reason: error.reason, message: error.message } } };
    }
  };
  let { epoch, position } = from;
  let start = position;
  let hasBatch = position > 0;
  let images: AugmentedImage[] = [];
  let rejects: Refused[] = [];
  /** The refused images of this epoch before its first batch, which shows that batches can be filled. */
  let refused: Refused[] = [];
  const takeBatch = (): StreamedBatch => {
    const item = {
      batch: trainingBatch(images, { epoch, position: start }, data.summary.vocabularies, options),
      next: { epoch, position },
      rejects,
    };
    [images, rejects, start, hasBatch] = [[], [], position, true];
    return item;
  };
  const samples = positionedSamples(data, options, from, epochs, signal);
  for await (const item of prefetch(samples, options.prefetchImages, read)) {
    if (item !== null) {
      const { id, result } = item;
      position++;
      if ('reject' in result) {
        const reject = { image: id, ...result.reject };
        rejects.push(reject);
        if (!hasBatch) refused.push(reject);
      } else images.push(result.augmentedImage);
      if (images.length === batchSize) yield takeBatch();
      continue;
    }
    // The epoch ends.
    if (!training && images.length > 0) yield takeBatch();
    else if (!hasBatch && epochs > 1)
      throw new RelflowError(
        'no-data',
        `training: no batch of ${batchSize} images can be filled: ${noBatch(data.summary.total, refused)}`,
      );
    [epoch, position, start, images, hasBatch, refused] = [epoch + 1, 0, 0, [], false, []];
  }
}

function noBatch(total: number, refused: readonly Refused[]): string {
  const start = `${refused.length} of ${total} images ${refused.length === 1 ? 'is' : 'are'} refused`;
  const [first] = refused;
  if (first === undefined) return start;
  const counts: Record<string, number> = {};
  for (const { reason } of refused) addCount(counts, reason, 1);
  return `${start}: ${refusedImages(counts)}; the first: ${first.message}`;
}

type PositionedSample = LocatedSample & DataPosition;

/** Yields samples in the order of their epochs from a position on, and null after the last one of each epoch. */
async function* positionedSamples(
  data: TrainingData,
  { seed, shuffleBuffer }: BatchStreamOptions,
  from: DataPosition,
  epochs: number,
  signal: AbortSignal,
): AsyncGenerator<PositionedSample | null> {
  let { position } = from;
  for (let epoch = from.epoch; epoch < from.epoch + epochs; epoch++) {
    for await (const item of data.epoch({ seed, epoch, skip: position, shuffleBuffer }, signal))
      yield { ...item, epoch, position: position++ };
    yield null;
    position = 0;
  }
}
