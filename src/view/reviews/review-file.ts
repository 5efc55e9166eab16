import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { isMissing } from '../../files/is-missing.js';
import { lockFolder } from '../../files/lock-folder.js';
import { syncFolder } from '../../files/sync-folder.js';
import { wrapFileErrors } from '../../files/wrap-io-errors.js';
import type { Review } from '../../records/review.js';
import { schemaProblem } from '../../records/schema-problem.js';

/** How long an edit waits for other writers of the file, in milliseconds. */
const PATIENCE = 10_000;
/** The largest file that is read, in bytes; one of 500,000 edits has about 200 MB. */
const MAX_BYTES = 2 ** 28;
const NEWLINE = 0x0a;

/**
 * A file of edits, one a line. Edits are appended under a lock and are on disk before `append` returns, so that several servers
 * may write to one file; what others append is read by `refresh`. An incomplete last line, of a process that ended while it wrote,
 * is removed by the next writer: it was never answered as saved.
 */
export class ReviewFile {
  readonly path: string;
  readonly #edits = new Map<string, Review>();
  readonly #problems = new Map<number, string>();
  #line = 0;
  #end = 0;
  #inode: number | null = null;
  #torn = 0;
  #reading: Promise<readonly Review[]> = Promise.resolve([]);
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens a file; it is created by the first edit. @throws InputError when it cannot be read */
  static async open(path: string): Promise<ReviewFile> {
    const file = new ReviewFile(path);
    await file.refresh();
    return file;
  }

  /** The edits, each once. */
  get edits(): ReadonlyMap<string, Review> {
    return this.#edits;
  }

  /** What is wrong with the file, for people; undefined if nothing is. */
  get problem(): string | undefined {
    const [first] = this.#problems;
    if (first !== undefined) {
      const others = this.#problems.size - 1;
      return `line ${first[0]} is left out: ${first[1]}${others > 0 ? ` (and ${others} more lines)` : ''}`;
    }
    return this.#torn > 0
      ? `the last line is incomplete (${this.#torn} bytes), of an edit that was never saved; the next edit removes it`
      : undefined;
  }

  /** Reads what was appended since the last call, and returns the new edits. */
  refresh(): Promise<readonly Review[]> {
    const before = this.#reading.catch(() => []);
    this.#reading = before.then(() => this.#read());
    return this.#reading;
  }

  /**
   * Saves edits; those that the file has already are not written again.
   * @returns the edits that are new, also those of others that were read on the way
   * @throws OutputError when the file cannot be written, or is locked for more than ten seconds
   */
  append(edits: readonly Review[]): Promise<readonly Review[]> {
    const written = this.#writing.then(() => this.#append(edits));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #append(edits: readonly Review[]): Promise<readonly Review[]> {
    const unlock = await lockFolder(this.path, await lockOf(this.path), PATIENCE);
    try {
      const found = await this.refresh();
      const added = edits.filter(({ id }, index) => {
        const isRepeated = edits.findIndex((other) => other.id === id) < index;
        return !this.#edits.has(id) && !isRepeated;
      });
      if (added.length > 0) await wrapFileErrors(this.path, () => this.#write(added));
      return [...found, ...(await this.refresh())];
    } finally {
      await unlock();
    }
  }

  async #write(edits: readonly Review[]): Promise<void> {
    const isNew = this.#inode === null;
    const file = await open(this.path, 'a+');
    try {
      const { size } = await file.stat();
      if (size > this.#end) await this.#repair(file, size);
      await file.appendFile(edits.map((edit) => `${JSON.stringify(edit)}\n`).join(''));
      await file.datasync();
    } finally {
      await file.close();
    }
    if (isNew) await syncFolder(dirname(this.path));
  }

  /** Removes an incomplete last line, or ends a complete one that lacks its end. The lock keeps other writers away. */
  async #repair(file: FileHandle, size: number): Promise<void> {
    const tail = Buffer.alloc(size - this.#end);
    await file.read(tail, 0, tail.length, this.#end);
    if (typeof readReview(tail.toString('utf8')) !== 'string') await file.appendFile('\n');
    else await file.truncate(this.#end);
    this.#torn = 0;
  }

  async #read(): Promise<readonly Review[]> {
    let file: FileHandle;
    try {
      file = await open(this.path, 'r');
    } catch (error) {
      if (isMissing(error)) {
        this.#forget();
        return [];
      }
      throw error;
    }
    try {
      const { size, ino } = await file.stat();
      if (size > MAX_BYTES) throw new InputError(this.path, `has ${size} bytes, expected at most ${MAX_BYTES}`);
      // Another file, or one from which lines were removed.
      if (ino !== this.#inode || size < this.#end) this.#forget();
      this.#inode = ino;
      const bytes = Buffer.alloc(size - this.#end);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, this.#end);
      return this.#take(bytes.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }

  #take(bytes: Buffer): Review[] {
    const complete = bytes.lastIndexOf(NEWLINE) + 1;
    this.#torn = bytes.length - complete;
    this.#end += complete;
    const added: Review[] = [];
    const lines = bytes.toString('utf8', 0, complete).split('\n');
    for (const text of lines.slice(0, -1)) {
      this.#line++;
      if (text.trim() === '') continue;
      const review = readReview(text);
      if (typeof review === 'string') this.#problems.set(this.#line, review);
      else if (!this.#edits.has(review.id)) {
        this.#edits.set(review.id, review);
        added.push(review);
      }
    }
    return added;
  }

  #forget(): void {
    this.#edits.clear();
    this.#problems.clear();
    [this.#line, this.#end, this.#inode, this.#torn] = [0, 0, null, 0];
  }
}

/** Returns the edit of a line, or what is wrong with it. */
function readReview(text: string): Review | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  return schemaProblem('review', value) ?? (value as Review);
}

/** In the folder of a run, where a lock file of a process that was killed is known as relflow's own; else next to the file. */
async function lockOf(path: string): Promise<string> {
  const own = join(dirname(path), '.relflow');
  const isRun = (await stat(own).catch(() => null))?.isDirectory() ?? false;
  return isRun ? join(own, `lock.${basename(path)}`) : `${path}.lock`;
}
