import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { InputError, OutputError, RecordError } from '../../errors.js';
import { exists } from '../../files/exists.js';
import { jsonLines } from '../../files/json/json-lines.js';
import { fieldsOf } from '../../files/json/json-value.js';
import { lockFolder } from '../../files/lock-folder.js';
import { makeFolder } from '../../files/make-folder.js';
import { syncFolder } from '../../files/sync-folder.js';
import { wrapFileErrors } from '../../files/wrap-io-errors.js';
import type { ImageRecord } from '../../records/image.js';
import type { SourceItem } from '../../records/ports.js';
import type { ImagePredictions, PredictionsHeader } from '../../records/predictions.js';
import type { Related } from '../../records/scene-graph.js';
import { PREDICTION_LINES } from '../benchmarks/predictions-file.js';

/** Options of `writePredictions`. */
export interface WritePredictionsOptions {
  /** The file to write. */
  readonly out: string;
  readonly header: PredictionsHeader;
  /** Continues an interrupted file, whose header must be the same. */
  readonly resume?: boolean;
  /** Replaces the file if it exists, and an interrupted one. */
  readonly overwrite?: boolean;
  readonly signal: AbortSignal;
  /** Called after each image with the number of images that are done, those of an interrupted file included. */
  readonly onImage?: (done: number) => void;
}

/** What `writePredictions` has done. */
export interface WrittenPredictions {
  /** Images in the file. */
  readonly images: number;
  /** Those of them that the interrupted file had. */
  readonly resumed: number;
  /** Images without a line, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Predicts the pairs of an image. */
export type ImagePredictor = (
  record: ImageRecord & Related,
  signal: AbortSignal,
) => Promise<Pick<ImagePredictions, 'objects' | 'pairs'>>;

/**
 * Writes a file of predictions, image by image, in the order of the data set. Until it is complete it has the ending `.partial`,
 * and can be continued: the result has the same bytes as without interruption. Memory holds one image, and the ids of those
 * that the interrupted file has. An image that cannot be read, or that the predictor refuses, has no line and is counted.
 *
 * @throws OutputError when the file exists, or an interrupted one that is not to be continued or has another header, or when it
 * cannot be written
 * @throws the reason of `signal` when it aborts; what was written can be continued
 */
export async function writePredictions(
  items: AsyncIterable<SourceItem<ImageRecord & Related>>,
  predict: ImagePredictor,
  { out, header, resume = false, overwrite = false, signal, onImage }: WritePredictionsOptions,
): Promise<WrittenPredictions> {
  await wrapFileErrors(out, () => makeFolder(dirname(out)));
  const unlock = await lockFolder(out, `${out}.lock`);
  try {
    const partial = `${out}.partial`;
    if ((await exists(out)) && !overwrite)
      throw new OutputError(out, 'exists; give --overwrite to replace it, or another file');
    const begun = await exists(partial);
    if (begun && overwrite && !resume) await rm(partial);
    else if (begun && !resume)
      throw new OutputError(
        partial,
        'is an interrupted file; give --resume to continue it, or --overwrite to begin anew',
      );
    const { done, length } =
      begun && resume ? await readPartial(partial, header) : { done: new Set<string>(), length: 0 };
    const file = await openPartial(partial, length);
    const refused: Record<string, number> = {};
    const refuse = (reason: string) => {
      refused[reason] = (refused[reason] ?? 0) + 1;
    };
    let images = done.size;
    try {
      if (length === 0) await append(partial, file, header);
      for await (const { record, rejects = [] } of items) {
        signal.throwIfAborted();
        if (!record) {
          for (const { reason } of rejects) refuse(reason);
          continue;
        }
        const { id, file: path } = record.image;
        if (done.has(JSON.stringify(id))) continue;
        try {
          const found = await predict(record, signal);
          await append(partial, file, { image: { id, file: basename(path) }, ...rounded(found) });
        } catch (error) {
          if (!(error instanceof RecordError)) throw error;
          refuse(error.reason);
          continue;
        }
        onImage?.(++images);
      }
      await wrapFileErrors(partial, () => file.datasync());
    } finally {
      await file.close();
    }
    await wrapFileErrors(out, async () => {
      await rename(partial, out);
      await syncFolder(dirname(out));
    });
    return { images, resumed: done.size, refused };
  } finally {
    await unlock();
  }
}

const append = (path: string, file: FileHandle, value: unknown): Promise<void> =>
  wrapFileErrors(path, () => file.writeFile(`${JSON.stringify(value)}\n`));

/** Opens a new file, or an interrupted one at the end of its complete lines. A file with a second name is not written to. */
async function openPartial(partial: string, length: number): Promise<FileHandle> {
  const found = await lstat(partial).catch(() => null);
  if (found && (!found.isFile() || found.nlink > 1))
    throw new OutputError(partial, 'is a link, and is not written to; remove it');
  return wrapFileErrors(partial, async () => {
    const file = await open(partial, found ? 'a' : 'ax');
    await file.truncate(length);
    return file;
  });
}

/**
 * Returns the images of an interrupted file, and the length of its complete lines in bytes: all but a last line that is cut, and
 * what follows a line that is damaged.
 */
async function readPartial(partial: string, header: PredictionsHeader): Promise<{ done: Set<string>; length: number }> {
  const done = new Set<string>();
  let length = 0;
  let last: unknown;
  const complete = (end: number) => {
    if (end === 0) return;
    if (length === 0 && JSON.stringify(last) !== JSON.stringify(header))
      throw new OutputError(
        partial,
        'was begun with other weights, labels, data or options; give the same ones, or --overwrite to begin anew',
      );
    length = end;
    const { id } = fieldsOf(fieldsOf(last)['image']);
    if (id !== undefined) done.add(JSON.stringify(id));
  };
  try {
    for await (const { value, at } of jsonLines(partial, PREDICTION_LINES)) {
      complete(at);
      last = value;
    }
    if (last !== undefined && (await endsLine(partial))) complete((await lstat(partial)).size);
  } catch (error) {
    if (!(error instanceof InputError) || typeof error.fields['at'] !== 'number') throw error;
    complete(error.fields['at']);
  }
  return { done, length };
}

async function endsLine(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() === '\n';
  } finally {
    await handle.close();
  }
}

/** Rounds to what decides about a number of a benchmark: a ten-thousandth of a pixel, and eight digits of a score. */
function rounded({
  objects,
  pairs,
}: Pick<ImagePredictions, 'objects' | 'pairs'>): Pick<ImagePredictions, 'objects' | 'pairs'> {
  const score = (value: number) => Number(value.toPrecision(8));
  const pixels = (value: number) => Math.round(value * 1e4) / 1e4;
  return {
    objects: objects.map((object) => {
      const [x1, y1, x2, y2] = object.xyxy;
      return {
        ...object,
        xyxy: [pixels(x1), pixels(y1), pixels(x2), pixels(y2)],
        ...(object.score !== undefined && { score: score(object.score) }),
      };
    }),
    pairs: pairs.map((pair) => ({ ...pair, scores: pair.scores.map(score) })),
  };
}
