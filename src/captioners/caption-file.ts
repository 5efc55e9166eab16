import { basename } from 'node:path';
import { OptionError, RecordError } from '../errors.js';
import type { Caption } from '../records/caption.js';
import type { Captioner } from '../records/ports.js';
import { streamJson } from '../sources/json-stream.js';
import { fieldsOf, isId } from '../sources/json-value.js';
import { FileIndex, type TakeFile } from './file-index.js';

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
  /** How many entries of the files were of no use, by problem; known once the first caption is there. */
  readonly problems: Readonly<Record<string, number>>;
  /** Removes the temporary file. */
  close(): Promise<void>;
}

/**
 * Captions that were written before. A file with an array `annotations` is COCO's (`captions_*.json`: each annotation
 * has an `image_id` and a `caption`); any other is `{"<image id>": ["caption", …]}`, as RLIPv2's captioner writes it.
 * Captions of an image come in file order, trimmed; empty ones are left out, equal ones stay. Their `source` is the base
 * name of the file. What is of no use is counted in `problems`: `malformed-image-id`, `malformed-captions` (not a list),
 * `malformed-caption` (not a text), `empty-caption`.
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
  if (maxCaptions !== undefined && !(Number.isInteger(maxCaptions) && maxCaptions > 0)) {
    throw new OptionError(name, `maxCaptions is ${maxCaptions}, expected a whole number above 0`);
  }
  const problems: Record<string, number> = {};
  const index = new FileIndex(captions, tempDir, takeCaptions(problems));
  return {
    name,
    version: '1',
    needsPixels: false,
    problems,
    files: () => index.files(),
    close: () => index.close(),
    async caption({ id }, signal) {
      const found = ((await index.get(id, signal)) as Caption[][]).flat();
      if (found.length === 0)
        throw new RecordError('no-captions', `${name}: no caption for image ${id}`, { image: id });
      return found.slice(0, maxCaptions);
    },
  };
}

function takeCaptions(problems: Record<string, number>): TakeFile {
  const count = (problem: string) => {
    problems[problem] = (problems[problem] ?? 0) + 1;
  };

  function usable(texts: readonly unknown[], source: string): Caption[] {
    const captions: Caption[] = [];
    for (const text of texts) {
      if (typeof text !== 'string') count('malformed-caption');
      else if (text.trim() === '') count('empty-caption');
      else captions.push({ text: text.trim(), source });
    }
    return captions;
  }

  return async (file, put, { signal, settle }) => {
    const source = basename(file);
    const limits = signal ? { signal } : {};
    let coco = false;
    for await (const { values } of streamJson(file, { layout: ['annotations'], required: [], ...limits })) {
      coco = true;
      for (const value of values) {
        const { image_id: image, caption } = fieldsOf(value);
        if (isId(image)) put(image, usable([caption], source));
        else count('malformed-image-id');
      }
      await settle();
    }
    if (coco) return;
    for await (const { keys, values } of streamJson(file, { layout: 'map', ...limits })) {
      for (const [index, texts] of values.entries()) {
        if (Array.isArray(texts)) put(keys[index] as string, usable(texts, source));
        else count('malformed-captions');
      }
      await settle();
    }
  };
}
