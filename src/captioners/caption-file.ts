import { basename } from 'node:path';
import { OptionError, RecordError } from '../errors.js';
import { fieldsOf, isId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { ImageEntryIndex, type ReadEntries } from '../files/spools/image-entry-index.js';
import type { Caption } from '../records/caption-record.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';

/** Options of `captionFile`. */
export interface CaptionFileOptions {
  /** Path or glob of caption files, gzip or not; several files are merged in sorted order. */
  readonly captions: string;
  /** The maximum number of captions per image; the first ones are used. Default: all. */
  readonly maxCaptions?: number;
  /** The folder for a temporary copy of the captions. Default: the system's folder for temporary files. */
  readonly tempDir?: string;
}

/** A captioner that reads files. Close it after use. */
export interface CaptionFile extends Captioner {
  /**
   * Returns the paths of the caption files.
   * @throws InputError if no file matches or a file cannot be read
   */
  files(): Promise<readonly string[]>;
  /** Removes the temporary file. */
  close(): Promise<void>;
}

/**
 * Returns a captioner that reads captions from files. A file with an array `annotations` is in COCO's format
 * (`captions_*.json`: each annotation has an `image_id` and a `caption`); any other file is
 * `{"<image id>": ["caption", …]}`, the format of RLIPv2's captioner. The captions of an image are returned in file
 * order and trimmed; empty captions are dropped, duplicates are kept. Their `source` is the base name of the file.
 * Problems are counted for the image: `malformed-captions` (not a list), `malformed-caption` (not a string),
 * `empty-caption`. A caption without an image id is ignored; `relflow validate` on the file reports it.
 *
 * The files are read once, at the first caption, into a temporary file, so that memory holds only an index.
 *
 * `caption` throws a RecordError `no-captions` if the files have none for the image, and an InputError if a file cannot
 * be read.
 *
 * @throws OptionError if an option is missing or out of range
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph } from 'relflow';
 *
 * const graph = new Graph('captioned');
 * graph
 *   .from(coco({ annotations: 'instances_val2017.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions_val2017.json', maxCaptions: 5 })));
 * ```
 */
export function captionFile({ captions, maxCaptions, tempDir }: CaptionFileOptions): CaptionFile {
  const name = 'caption-file';
  if (!captions) throw new OptionError(name, "'captions' is missing, expected a path or a glob");
  if (maxCaptions !== undefined) checkPositiveInteger(name, 'maxCaptions', maxCaptions);
  const index = new ImageEntryIndex(captions, tempDir, readEntries);
  return {
    name,
    version: '1',
    options: { captions: basename(captions), ...(maxCaptions !== undefined && { maxCaptions }) },
    files: () => index.files(),
    close: () => index.close(),
    async caption({ id }, signal, count = () => {}) {
      const entries = (await index.get(id, signal)) as Entry[];
      const found = entries.flatMap((entry) => toCaptions(entry, count));
      if (found.length === 0)
        throw new RecordError('no-captions', `${name}: no caption for image ${id}`, { image: id });
      return found.slice(0, maxCaptions);
    },
  };
}

/** The unchecked captions of an image in one file. */
interface Entry {
  readonly source: string;
  readonly texts: unknown;
}

const readEntries: ReadEntries = async (file, put, { signal, flush }) => {
  const source = basename(file);
  const limits = signal ? { signal } : {};
  let coco = false;
  for await (const { values } of streamJson(file, { layout: ['annotations'], required: [], ...limits })) {
    coco = true;
    for (const value of values) {
      const { image_id: image, caption } = fieldsOf(value);
      if (isId(image)) put(image, { source, texts: [caption] } satisfies Entry);
    }
    await flush();
  }
  if (coco) return;
  for await (const { keys, values } of streamJson(file, { layout: 'map', ...limits })) {
    for (const [index, texts] of values.entries()) put(keys[index] as string, { source, texts } satisfies Entry);
    await flush();
  }
};

function toCaptions({ source, texts }: Entry, count: (problem: string) => void): Caption[] {
  if (!Array.isArray(texts)) {
    count('malformed-captions');
    return [];
  }
  return texts.flatMap((text: unknown) => {
    if (typeof text === 'string' && text.trim() !== '') return [{ text: text.trim(), source }];
    count(typeof text === 'string' ? 'empty-caption' : 'malformed-caption');
    return [];
  });
}
