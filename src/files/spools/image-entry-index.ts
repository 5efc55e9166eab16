import { tmpdir } from 'node:os';
import { RecordError } from '../../errors.js';
import type { Id, Image } from '../../records/image.js';
import { comparePaths, type ImagePath, isPaddedName, numberOfName, readImagePath } from '../image-keys.js';
import { inputFiles } from '../input-files.js';
import { formatJsonValue, readId } from '../json/json-value.js';
import { KeyedStore } from './keyed-store.js';

/** The image that a file has a value for: by id, by file, or both. A text as `id` may be a file name too. */
export interface EntryKey {
  readonly id?: unknown;
  readonly file?: unknown;
}

/** Reads a file and calls `put` with each value that it has for an image. */
export type ReadEntries = (file: string, put: (key: EntryKey, value: unknown) => void, batch: Batch) => Promise<void>;

interface Batch {
  readonly signal: AbortSignal | undefined;
  /** Writes buffered values to disk; await it between batches. */
  flush(): Promise<void>;
  /** Gives the file of the image that values name by id, so that images are found by their files. */
  name(key: EntryKey): void;
}

/** A value in the temporary file. */
interface Stored {
  /** The position of the value among all values. */
  readonly n: number;
  /** The position of its file among the files. */
  readonly f: number;
  /** The text of the key: an id that is a text, or a path. Omitted if the key is a number. */
  readonly t?: string;
  /** The path in an entry that has an id too. */
  readonly p?: string;
  /** The id of the image that has the file `p` or `t`; there is no value then. */
  readonly named?: number;
  /** True if the value is stored under the whole path only. */
  readonly elsewhere?: true;
  readonly v?: unknown;
}

/** A path is also found by its ends of up to this many folders and names. */
const maxTail = 16;
/** More paths than these that end with the path of one image are not compared. */
const maxLonger = 1000;

/** Numbers in file names below this are likely to be those of other images' ids. */
const minFileNumber = 100_000;

/** How a value was found; lower is better. */
const foundBy = { id: 0, path: 1, idOfOtherPath: 4, paddedId: 5, fileNumber: 6 } as const;

/**
 * Looks up the values that files have for an image. The files are read once, on the first lookup, into a temporary
 * file, so that memory holds only an index.
 *
 * A key is the id of an image (7, 7.0, '7'), its file with or without folders and extension, or its id padded with
 * zeros, in this order of preference. A number without padding is an id; it stands for a file of that name only if it
 * has six digits or more.
 */
export class ImageEntryIndex {
  readonly #name: string;
  readonly #pattern: string;
  readonly #tempDir: string;
  readonly #readEntries: ReadEntries;
  #store: Promise<KeyedStore> | null = null;
  #entries = 0;
  #examples: string[] = [];
  /** The positions of the files that give the files of their images. */
  readonly #naming = new Set<number>();

  /**
   * @param name the name of the caller in errors
   * @param pattern path or glob; several files are merged, sorted
   */
  constructor(name: string, pattern: string, tempDir: string | undefined, readEntries: ReadEntries) {
    this.#name = name;
    this.#pattern = pattern;
    this.#tempDir = tempDir ?? tmpdir();
    this.#readEntries = readEntries;
  }

  /** @throws InputError if no file matches or a file cannot be read */
  files(): Promise<readonly string[]> {
    return inputFiles(this.#pattern);
  }

  /**
   * Returns the number of values in the files and the first two of their keys.
   * @throws InputError if a file cannot be read
   */
  async keys(signal?: AbortSignal): Promise<{ readonly entries: number; readonly examples: readonly string[] }> {
    await this.#open(signal);
    return { entries: this.#entries, examples: this.#examples };
  }

  /**
   * Returns the values of an image, in the order of the files.
   * @param count called with `caption-of-other-file` if the id fits but the files name another image file for it
   * @throws InputError if a file cannot be read; RecordError `ambiguous-image-key` if the keys of two images fit
   */
  async get(image: Image, signal?: AbortSignal, count?: (problem: string) => void): Promise<readonly unknown[]> {
    const store = await this.#open(signal);
    const path = readImagePath(image.file);
    const candidates: Candidate[] = [];
    const read = async (key: Id) => (await store.get(key)).map(parseStored);
    const add = (values: readonly Stored[], rankOf: (stored: Stored) => Omit<Candidate, 'stored'> | null) => {
      for (const stored of values) {
        const rank = stored.named === undefined ? rankOf(stored) : null;
        if (rank) candidates.push({ ...rank, stored });
      }
    };
    const id = readId(image.id) ?? image.id;
    if (typeof id === 'number') {
      const values = [...(await read(id)), ...(await read(paddedKey(id)))].sort((a, b) => a.n - b.n);
      const isNamedById = numberOfName(path.stem) === id;
      const names = new Map(values.flatMap(({ f, p, named }) => (named === id && p !== undefined ? [[f, p]] : [])));
      add(values, (stored) => {
        const computed = this.#naming.has(stored.f) && !isNamedById ? nameOfNumber(id) : undefined;
        const { f, p = names.get(f) ?? computed } = stored;
        return rankOfId({ ...stored, ...(p !== undefined && { p }) }, id, path);
      });
    } else {
      add(await read(wholeKey(readImagePath(id))), ({ t }) => (t === id ? { rank: foundBy.id, key: '' } : null));
    }
    // The files are looked up only for images that have no value by id, as most have.
    if (candidates.every(({ rank }) => rank !== foundBy.id) && path.stem !== '') {
      const found = await this.#valuesOf(store, path, image);
      add(found, ({ t = '', p = t }) => rankOfPath(p, path, image.split));
      for (const { named, f, t = '' } of found) {
        const rank = named === undefined ? null : rankOfPath(t, path, image.split);
        if (rank)
          add(await read(named as number), (stored) => (stored.f === f && stored.t === undefined ? rank : null));
      }
      const number = numberOfName(path.stem);
      if (number !== undefined && number !== id) {
        const isInId = typeof id === 'string' && numberOfName(id.toLowerCase()) === number;
        const isFile = number >= minFileNumber || isInId;
        add(await read(number), ({ f }) => {
          if (this.#naming.has(f)) return { rank: foundBy.path, key: '' };
          return isFile ? { rank: foundBy.fileNumber, key: '' } : null;
        });
      }
    }
    const original = candidates.length === 0 ? nameBeforeUpload(path) : undefined;
    if (original)
      add(await this.#valuesOf(store, original, image), ({ t = '', p = t }) => rankOfPath(p, original, image.split));
    const best = this.#best(candidates, image);
    if (best.some(({ rank }) => rank === foundBy.idOfOtherPath)) count?.('caption-of-other-file');
    return Promise.all(best.map(({ stored }) => (stored.elsewhere ? this.#whole(store, stored) : stored.v)));
  }

  /** Returns the values whose path is the end of the path of an image, or ends with it, in the order of the files. */
  async #valuesOf(store: KeyedStore, path: ImagePath, { id, file }: Image): Promise<Stored[]> {
    const { segments } = path;
    const found: Buffer[] = [];
    for (let count = 1; count <= segments.length; count++)
      found.push(...(await store.get(wholeKey({ segments: segments.slice(-count) }))));
    const longer = await store.get(tailKey(segments.slice(-maxTail)));
    if (longer.length > maxLonger) {
      const problem = `${this.#name}: more than ${maxLonger} keys fit image ${id} (${file})`;
      throw new RecordError('ambiguous-image-key', problem, { image: id });
    }
    return [...found, ...longer].map(parseStored).sort((a, b) => a.n - b.n);
  }

  /** Returns a value that is stored under its whole path. */
  async #whole(store: KeyedStore, { n, t = '' }: Stored): Promise<unknown> {
    const values = (await store.get(wholeKey(readImagePath(t)))).map(parseStored);
    return values.find((stored) => stored.n === n)?.v;
  }

  /** Removes the temporary file; a later lookup reads the files again. */
  async close(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    // `get` has already reported why reading failed.
    await (await store?.catch(() => null))?.close();
  }

  /** Returns the values of the best kind in each file, in order. */
  #best(candidates: readonly Candidate[], { id, file }: Image): readonly Candidate[] {
    const best = new Map<number, Candidate>();
    for (const candidate of candidates) {
      const other = best.get(candidate.stored.f);
      if (!other || candidate.rank < other.rank) best.set(candidate.stored.f, candidate);
    }
    const chosen = new Map<number, Candidate>();
    for (const candidate of candidates) {
      const { rank, key, stored } = candidate;
      const winner = best.get(stored.f) as Candidate;
      if (rank !== winner.rank) continue;
      if (key !== winner.key) {
        const keys = [winner, { stored }].map(({ stored: { p, t } }) => formatJsonValue(p ?? t)).join(' and ');
        throw new RecordError('ambiguous-image-key', `${this.#name}: ${keys} both fit image ${id} (${file})`, {
          image: id,
        });
      }
      chosen.set(stored.n, candidate);
    }
    return [...chosen.values()].sort((a, b) => a.stored.n - b.stored.n);
  }

  #open(signal: AbortSignal | undefined): Promise<KeyedStore> {
    this.#store ??= this.#read(signal).catch((error: unknown) => {
      this.#store = null;
      throw error;
    });
    return this.#store;
  }

  async #read(signal: AbortSignal | undefined): Promise<KeyedStore> {
    const store = await KeyedStore.create(this.#tempDir);
    this.#entries = 0;
    this.#examples = [];
    this.#naming.clear();
    try {
      for (const [index, file] of (await this.files()).entries()) {
        const put = (key: EntryKey, value: unknown) => this.#put(store, index, key, value);
        const name = (key: EntryKey) => this.#putName(store, index, key);
        await this.#readEntries(file, put, { signal, flush: () => store.flush(), name });
      }
      await store.seal();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  #put(store: KeyedStore, f: number, key: EntryKey, v: unknown): void {
    const id = readId(key.id);
    const p = typeof key.file === 'string' && key.file.trim() !== '' ? key.file : undefined;
    if (id === undefined && p === undefined) return;
    const n = this.#entries++;
    const example = String(id ?? p);
    if (this.#examples.length < 2 && !this.#examples.includes(example)) this.#examples.push(example);
    const put = (at: Id, stored: object) => store.put(at, Buffer.from(JSON.stringify({ n, f, ...stored, v })));
    if (typeof id === 'number') put(id, p === undefined ? {} : { p });
    for (const t of new Set([typeof id === 'string' ? id : undefined, p])) {
      if (t === undefined) continue;
      const path = readImagePath(t);
      put(wholeKey(path), { t });
      for (const tail of tailsOf(path))
        store.put(tailKey(tail), Buffer.from(JSON.stringify({ n, f, t, elsewhere: true })));
      const number = numberOfName(path.stem);
      if (number !== undefined && number !== id) put(paddedKey(number), { t });
    }
  }

  #putName(store: KeyedStore, f: number, key: EntryKey): void {
    const named = readId(key.id);
    if (typeof named !== 'number' || typeof key.file !== 'string' || key.file.trim() === '') return;
    this.#naming.add(f);
    const path = readImagePath(key.file);
    // Names such as COCO's are computed instead of stored.
    if (numberOfName(path.stem) === named) return;
    const put = (at: Id, stored: object) => store.put(at, Buffer.from(JSON.stringify({ n: -1, f, named, ...stored })));
    put(named, { p: key.file });
    put(wholeKey(path), { t: key.file });
    for (const tail of tailsOf(path)) put(tailKey(tail), { t: key.file });
  }
}

/** The name of an image's file that `#putName` leaves out, because it consists of the id. */
function nameOfNumber(id: number): string {
  return String(id).padStart(12, '0');
}

/** Returns the path that Label Studio has renamed to `<8 digits>-<name>` when it was uploaded; undefined for other paths. */
function nameBeforeUpload({ segments, extension, stem }: ImagePath): ImagePath | undefined {
  const name = /^[0-9a-f]{8}-(?![0-9a-f]{4}-[0-9a-f]{4}-)(.+)$/.exec(stem)?.[1];
  return name === undefined ? undefined : { segments: [...segments.slice(0, -1), name], extension, stem: name };
}

interface Candidate {
  readonly rank: number;
  /** Equal for values of one key; values of two keys with the same rank are ambiguous. */
  readonly key: string;
  readonly stored: Stored;
}

const parseStored = (payload: Buffer): Stored => JSON.parse(payload.toString()) as Stored;

// Keys of the store, where ids are numbers and everything else is a text. A path has a key as a whole and one for each of
// its ends: thousands of paths may have the same file name.

function wholeKey({ segments }: Pick<ImagePath, 'segments'>): string {
  return `=${segments.join('/')}`;
}

function tailKey(segments: readonly string[]): string {
  return `~${segments.join('/')}`;
}

/** The key of values whose path has a number that may be the id of an image. */
function paddedKey(number: number): string {
  return `#${number}`;
}

/** Returns the ends of a path that are shorter than itself. */
function tailsOf({ segments }: ImagePath): string[][] {
  const count = Math.min(segments.length - 1, maxTail);
  return Array.from({ length: Math.max(0, count) }, (_, k) => segments.slice(-(k + 1)));
}

function rankOfId({ t, p }: Stored, id: number, image: ImagePath): Omit<Candidate, 'stored'> | null {
  const number = numberOfName(image.stem);
  if (t !== undefined) {
    const path = readImagePath(t);
    // The number in the name of the image's own file contradicts or confirms that the key is an id; equal names are
    // compared as paths.
    const isId = number === undefined ? isPaddedName(path.stem) : number === id && path.stem !== image.stem;
    return isId ? { rank: foundBy.paddedId, key: pathKey(path) } : null;
  }
  if (p === undefined || image.stem === '') return { rank: foundBy.id, key: '' };
  const path = readImagePath(p);
  const agrees = comparePaths(path, image) !== null || (number !== undefined && number === numberOfName(path.stem));
  return { rank: agrees ? foundBy.id : foundBy.idOfOtherPath, key: '' };
}

function rankOfPath(key: string, image: ImagePath, split: string): Omit<Candidate, 'stored'> | null {
  const path = readImagePath(key);
  const found = comparePaths(path, image);
  if (!found) return null;
  // Longer agreement is better, and so is the name of the split among the folders of the key.
  const isInSplit = split !== '' && path.segments.includes(split.toLowerCase());
  const closeness = 1 / (2 + 2 * found.length + (isInSplit ? 1 : 0));
  return { rank: foundBy.path + found.rank + closeness, key: pathKey(path) };
}

function pathKey({ segments, extension }: ImagePath): string {
  return `${segments.join('/')}.${extension}`;
}
