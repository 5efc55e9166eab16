import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { OptionError, RecordError } from '../errors.js';
import type { Caption } from '../records/caption.js';
import type { Id, Image } from '../records/image.js';
import type { Captioner } from '../records/ports.js';
import { inputFiles } from '../sources/input-files.js';
import { streamJson } from '../sources/json-stream.js';
import { fieldsOf, idKey, isId } from '../sources/json-value.js';
import { KeyedStore } from '../sources/keyed-store.js';

/** What a caption file is told. */
export interface CaptionFileOptions {
  /** Path or glob of caption files, gzip or not; several are merged, sorted. */
  readonly captions: string;
  /** How many captions of an image to use at most, the first ones; all unless given. */
  readonly maxCaptions?: number;
  /** Where the captions are kept while they are in use; the system's folder for such files unless given. */
  readonly tempDir?: string;
}

/** A captioner that reads files. Close it after use. */
export interface CaptionFile extends Captioner {
  /**
   * The caption files.
   * @throws InputError where there is none or one can't be read
   */
  files(): Promise<readonly string[]>;
  /** How many entries of the files were of no use, by problem; known after the first caption. */
  readonly problems: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/**
 * Captions that were written before. A file with an array `annotations` is COCO's (`captions_*.json`: each annotation
 * has an `image_id` and a `caption`); any other is `{"<image id>": ["caption", …]}`, as RLIPv2's captioner writes it.
 * Captions of an image come in file order, trimmed; empty ones are left out, equal ones stay.
 *
 * The files are read once, at the first caption, into a temporary file: memory holds an index only.
 *
 * `caption` throws a RecordError `no-captions` where the files have none for the image, and InputError where a file
 * can't be read.
 *
 * @throws OptionError where an option is out of range
 */
export function captionFile(options: CaptionFileOptions): CaptionFile {
  return new CaptionStore(options);
}

class CaptionStore implements CaptionFile {
  readonly name = 'caption-file';
  readonly version = '1';
  readonly needsPixels = false;
  problems: Record<string, number> = {};
  readonly #options: CaptionFileOptions;
  readonly #maxCaptions: number;
  #store: Promise<KeyedStore> | null = null;

  constructor(options: CaptionFileOptions) {
    const { captions, maxCaptions } = options;
    if (!captions) throw new OptionError(this.name, "'captions' is missing, expected a path or a glob");
    if (maxCaptions !== undefined && !(Number.isInteger(maxCaptions) && maxCaptions > 0)) {
      throw new OptionError(this.name, `maxCaptions is ${maxCaptions}, expected a whole number above 0`);
    }
    this.#options = options;
    this.#maxCaptions = maxCaptions ?? Number.POSITIVE_INFINITY;
  }

  files(): Promise<readonly string[]> {
    return inputFiles(this.#options.captions);
  }

  async caption(image: Image, signal: AbortSignal): Promise<readonly Caption[]> {
    this.#store ??= this.#index(signal).catch((error: unknown) => {
      this.#store = null;
      throw error;
    });
    const store = await this.#store;
    const captions: Caption[] = [];
    for (const payload of await store.get(idKey(image.id))) captions.push(...JSON.parse(payload.toString()));
    if (captions.length === 0) {
      throw new RecordError('no-captions', `${this.name}: no caption for image ${image.id}`, { image: image.id });
    }
    return captions.slice(0, this.#maxCaptions);
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    // An index that could not be made has been reported to who asked for a caption.
    await (await store?.catch(() => null))?.close();
  }

  async #index(signal: AbortSignal): Promise<KeyedStore> {
    this.problems = {};
    const store = await KeyedStore.create(this.#options.tempDir ?? tmpdir());
    try {
      for (const file of await this.files()) {
        if (!(await this.#takeCoco(file, store, signal))) await this.#takeMap(file, store, signal);
      }
      await store.seal();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** False where the file is not COCO's. */
  async #takeCoco(file: string, store: KeyedStore, signal: AbortSignal): Promise<boolean> {
    let found = false;
    for await (const { values } of streamJson(file, { layout: ['annotations'], required: [], signal })) {
      found = true;
      for (const value of values) {
        const { image_id: image, caption } = fieldsOf(value);
        if (!isId(image)) this.#count('malformed-image-id');
        else this.#put(store, image, [caption], file);
      }
      await store.settle();
    }
    return found;
  }

  async #takeMap(file: string, store: KeyedStore, signal: AbortSignal): Promise<void> {
    for await (const { keys, values } of streamJson(file, { layout: 'map', signal })) {
      for (const [index, captions] of values.entries()) {
        if (!Array.isArray(captions)) this.#count('malformed-captions');
        else this.#put(store, keys[index] ?? '', captions, file);
      }
      await store.settle();
    }
  }

  #put(store: KeyedStore, image: Id, texts: readonly unknown[], file: string): void {
    const source = basename(file);
    const captions: Caption[] = [];
    for (const text of texts) {
      const trimmed = typeof text === 'string' ? text.trim() : null;
      if (trimmed === null) this.#count('malformed-caption');
      else if (trimmed === '') this.#count('empty-caption');
      else captions.push({ text: trimmed, source });
    }
    if (captions.length > 0) store.put(idKey(image), Buffer.from(JSON.stringify(captions)));
  }

  #count(problem: string): void {
    this.problems[problem] = (this.problems[problem] ?? 0) + 1;
  }
}
