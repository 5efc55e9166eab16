import { basename } from 'node:path';
import { OptionError, RecordError } from '../errors.js';
import { fieldsOf, isId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { ImageEntryIndex, type ReadEntries } from '../files/spools/image-entry-index.js';
import type { Caption } from '../records/caption-record.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';

/** What a caption file is told. */
export interface CaptionFileOptions {
  /** Path or glob of caption files, gzip or not; several are merged, sorted. */
  readonly captions: string;
  /** How many captions of an image to use at most, the first ones; all unless given. */
  readonly maxCaptions?: number;
  /** Where the captions are kept while they are in use; the system's folder for temporary files unless given. */
  readonly tempDir?: string;
}

/** A captioner that reads files. Close it after use. */
export interface CaptionFile extends Captioner {
  /**
   * The caption files.
   * @throws InputError where there is none or one can't be read
   */
  files(): Promise<readonly string[]>;
  /** Removes the temporary file. */
  close(): Promise<void>;
}

/**
 * Captions that were written before. A file with an array `annotations` is COCO's (`captions_*.json`: each annotation
 * has an `image_id` and a `caption`); any other is `{"<image id>": ["caption", …]}`, as RLIPv2's captioner writes it.
 * Captions of an image come in file order, trimmed; empty ones are left out, equal ones stay. Their `source` is the base
 * name of the file. What is of no use is counted with its image: `malformed-captions` (not a list), `malformed-caption`
 * (not a text), `empty-caption`. A caption without an image's id is nobody's and is
 * passed over; `relflow validate` on the file names it.
 *
 * The files are read once, at the first caption, into a temporary file: memory holds an index only.
 *
 * `caption` throws a RecordError `no-captions` where the files have none for the image, and InputError where a file
 * can't be read.
 *
 * @throws OptionError where an option is out of range
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

/** What a file has for an image, as it is. */
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
