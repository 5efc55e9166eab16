import { basename } from 'node:path';
import { OptionError, RecordError } from '../errors.js';
import { ImageEntryIndex, type ReadEntries } from '../files/spools/image-entry-index.js';
import type { Caption } from '../records/caption-record.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';
import { readCaptionForms } from './caption-forms.js';

/** Options of `captionFile`. */
export interface CaptionFileOptions {
  /** Path or glob of caption files, gzip or not; several files are merged in sorted order. */
  readonly captions: string;
  /** The maximum number of captions per image; the first ones are used. Default: all. */
  readonly maxCaptions?: number;
  /** The folder for a temporary copy of the captions. Default: the system's folder for temporary files. */
  readonly tempDir?: string;
}

/** The keys of caption files. */
export interface CaptionKeys {
  /** The number of entries: captions, or lists of captions of one image. */
  readonly entries: number;
  /** The first two keys, as written. */
  readonly examples: readonly string[];
}

/** A captioner that reads files. Close it after use. */
export interface CaptionFile extends Captioner {
  /**
   * Returns the paths of the caption files.
   * @throws InputError if no file matches or a file cannot be read
   */
  files(): Promise<readonly string[]>;
  /**
   * Returns the number of entries of the files and examples of their keys, to compare them with the images.
   * @throws InputError if a file cannot be read
   */
  keys(signal?: AbortSignal): Promise<CaptionKeys>;
  /** Removes the temporary file. */
  close(): Promise<void>;
}

/**
 * Returns a captioner that reads captions from files. The content of a file decides how it is read:
 *
 * - COCO's `{"annotations": [{"image_id", "caption"}]}`
 * - `{"<image>": ["caption", …]}`, the format of RLIPv2's captioner; one text instead of a list is one caption
 * - a list, or JSON lines, of `{"image_id" or "file_name", "caption"}`, as captioning models write their results
 * - Karpathy's `{"images": [{"cocoid", "filepath", "filename", "sentences": [{"raw"}]}]}`
 * - CSV or another table whose header names a column of images and one of captions: `file,caption`
 *
 * An image is found by its id (7, 7.0 or '7'), else by its file with or without folders and extension, else by its id
 * padded with zeros. A number that is not padded is an id, and stands for a file only if it has six digits or more.
 *
 * The captions of an image are returned in file order and trimmed; empty captions are dropped, duplicates are kept. Their
 * `source` is the base name of the file. Problems are counted for the image: `malformed-captions` (neither a list nor a
 * text), `malformed-caption` (not a text), `empty-caption`, and `caption-of-other-file` if the id fits but the files name
 * another image file for it, as `images` of COCO's files do. A caption that names no image is ignored; `relflow validate`
 * on the file reports it.
 *
 * The files are read once, at the first caption, into a temporary file, so that memory holds only an index.
 *
 * `caption` throws a RecordError `no-captions` if the files have none for the image or `ambiguous-image-key` if the keys
 * of two images fit, and an InputError if a file cannot be read or has none of these forms.
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
  const index = new ImageEntryIndex(name, captions, tempDir, readEntries);
  return {
    name,
    version: '1',
    options: { captions: basename(captions), ...(maxCaptions !== undefined && { maxCaptions }) },
    files: () => index.files(),
    close: () => index.close(),
    keys: (signal) => index.keys(signal),
    async caption(image, signal, count = () => {}) {
      const entries = (await index.get(image, signal, count)) as Entry[];
      const found = entries.flatMap((entry) => toCaptions(entry, count));
      if (found.length === 0) {
        const problem =
          entries.length > 0
            ? `all captions of image ${image.id} are empty or malformed`
            : `no caption for image ${image.id} (${image.file}); ${describeKeys(await index.keys(signal))}`;
        throw new RecordError('no-captions', `${name}: ${problem}`, { image: image.id });
      }
      return found.slice(0, maxCaptions);
    },
  };
}

/** The unchecked captions of an image in one file. */
interface Entry {
  readonly source: string;
  readonly texts: unknown;
}

const readEntries: ReadEntries = async (file, put, { signal, flush, name }) => {
  const source = basename(file);
  for await (const entries of readCaptionForms(file, signal)) {
    for (const { texts, ...key } of entries) {
      if (texts === undefined) name(key);
      else put(key, { source, texts } satisfies Entry);
    }
    await flush();
  }
};

function describeKeys({ entries, examples }: CaptionKeys): string {
  if (entries === 0) return 'the files have no captions';
  return `the files have ${entries === 1 ? '1 entry' : `${entries} entries`}, for images such as ${examples.map((key) => `'${key}'`).join(' and ')}`;
}

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
