import { mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { InputError, OutputError } from '../errors.js';
import type { Answer, Question, Reply } from '../records/answer.js';

/** A stored reply with the time of the answer, ISO 8601. */
export type CachedReply = Reply & { readonly at: string };

/** Identifies an answer. */
export interface AnswerKey {
  /** The key of the question, from `questionKey`. */
  readonly question: string;
  /** The SHA-256 of the image file or the text, in hexadecimal. */
  readonly subject: string;
  readonly seed: number;
}

/** The name of an image in a data set, and the SHA-256 of its file. */
export interface NamedSubject {
  readonly dataset: string;
  readonly id: string;
  readonly subject: string;
}

type Row = [question: string, subject: string, seed: number];

const FORMAT = 'relflow.answers/1';
const FILE = 'answers.mdb';

/**
 * Options that differ from lmdb's defaults for safety. With `overlappingSync`, a transaction is flushed under a second
 * mutex. If its owner is killed, the next writer may recover it as if it were the write mutex and fail with MDB_PANIC,
 * which makes its environment unusable. With `eventTurnBatching`, a failed commit rejects an internal promise that
 * nothing can handle, which ends the process; the threshold keeps what is written in a turn in one transaction without
 * it.
 */
const SAFE_OPTIONS = { overlappingSync: false, eventTurnBatching: false, txnStartThreshold: Number.POSITIVE_INFINITY };

/**
 * Stores the answers of models on disk by question, subject and seed, so that each is paid for once. When `add`
 * resolves, other processes see the answer, and it survives the end of this process, including kill -9. Any number of
 * processes on one machine may share a store; it cannot be in a network folder.
 *
 * @example
 * ```ts
 * import { AnswerStore, defaultStoreFolder } from 'relflow/captions';
 *
 * const store = await AnswerStore.open(defaultStoreFolder());
 * for (const [key, { model }] of store.questions()) console.log(model, [...store.answers(key)].length);
 * await store.close();
 * ```
 */
export class AnswerStore {
  readonly folder: string;
  readonly #root: RootDatabase;
  readonly #answers: Database<CachedReply, Row>;
  readonly #questions: Database<Question, string>;
  readonly #images: Database<string, [dataset: string, id: string]>;
  readonly #knownQuestions = new Set<string>();
  #pendingWrites: (() => Promise<void>)[] = [];
  #groupWrites: Promise<void> | null = null;
  #commitError: OutputError | null = null;

  private constructor(folder: string, root: RootDatabase) {
    this.folder = folder;
    this.#root = root;
    this.#answers = root.openDB({ name: 'answers', encoding: 'json' });
    this.#questions = root.openDB({ name: 'questions', encoding: 'json' });
    this.#images = root.openDB({ name: 'images', encoding: 'json' });
    const format: unknown = root.get('format');
    if (format === undefined) root.putSync('format', FORMAT);
    else if (format !== FORMAT) throw new Error(`its format is '${format}', expected ${FORMAT}`);
  }

  /**
   * Opens a store and creates it if necessary. Close it with `close`.
   * @throws OutputError if the folder cannot be used
   */
  static async open(folder: string): Promise<AnswerStore> {
    const { open } = await import('lmdb');
    const path = resolve(folder);
    while (closing.has(path)) await closing.get(path);
    // No `await` from here on: LMDB must not open a file twice in one process.
    let shared = openStores.get(path);
    try {
      if (!shared) {
        mkdirSync(path, { recursive: true });
        const root = open({ path: join(path, FILE), encoding: 'json', maxDbs: 4, ...SAFE_OPTIONS });
        shared = { store: new AnswerStore(path, root), users: 0 };
        openStores.set(path, shared);
      }
    } catch (error) {
      throw new OutputError(folder, `cannot be used as an answer store: ${(error as Error).message}`, { cause: error });
    }
    shared.users++;
    return shared.store;
  }

  /** Opens a store if it exists; null otherwise. */
  static async openExisting(folder: string): Promise<AnswerStore | null> {
    const found = await stat(join(folder, FILE)).catch(() => null);
    return found ? AnswerStore.open(folder) : null;
  }

  /** Returns an answer, or undefined if the store does not have it. */
  find({ question, subject, seed }: AnswerKey): CachedReply | undefined {
    return this.#answers.get([question, subject, seed]);
  }

  /**
   * Adds an answer, unless the store already has one for the key.
   * @returns the answer in the store, once it is on disk
   * @throws OutputError if it cannot be written
   */
  async add(question: Question, key: AnswerKey, reply: CachedReply): Promise<CachedReply> {
    const row: Row = [key.question, key.subject, key.seed];
    return this.#writeInGroup(async () => {
      const [isNew] = await Promise.all([
        this.#answers.ifNoExists(row, () => void this.#answers.put(row, reply)),
        this.#knownQuestions.has(key.question) || this.#questions.put(key.question, question),
      ]);
      this.#knownQuestions.add(key.question);
      return isNew ? reply : (this.#answers.get(row) ?? reply);
    });
  }

  /** Stores the name of an image in a data set, for exports by image. */
  async nameImage({ dataset, id, subject }: NamedSubject): Promise<void> {
    if (this.#images.get([dataset, id]) === subject) return;
    await this.#writeInGroup(async () => this.#images.put([dataset, id], subject));
  }

  /** Returns all questions, by key. */
  questions(): ReadonlyMap<string, Question> {
    return new Map([...this.#questions.getRange()].map(({ key, value }) => [key, value]));
  }

  /** Yields all named images, sorted by data set and id. */
  *images(): Generator<NamedSubject, void> {
    for (const { key, value } of this.#images.getRange()) yield { dataset: key[0], id: key[1], subject: value };
  }

  /**
   * Yields the answers to a question, sorted by subject and seed.
   * @param question the key of the question, from `questionKey`
   * @param subject only answers about this subject. Default: all
   */
  *answers(question: string, subject?: string): Generator<{ key: AnswerKey; reply: CachedReply }, void> {
    // Subjects are hexadecimal, so that all of them sort before 'g'.
    const end = subject === undefined ? [question, 'g'] : [question, subject, Number.MAX_SAFE_INTEGER];
    const start = subject === undefined ? [question] : [question, subject];
    for (const { key, value } of this.#answers.getRange({ start, end })) {
      yield { key: { question: key[0], subject: key[1], seed: key[2] }, reply: value };
    }
  }

  /** Yields all answers in the format of an export, in an order that depends only on the content. */
  *lines(): Generator<Answer, void> {
    for (const [key, question] of this.questions()) {
      for (const { key: answerKey, reply } of this.answers(key)) {
        const { at, ...rest } = reply;
        yield {
          format: 'relflow.answer/1',
          question,
          subject: answerKey.subject,
          seed: answerKey.seed,
          reply: rest,
          at,
        };
      }
    }
  }

  /** Removes answers; they are requested again when needed. */
  async remove(keys: readonly AnswerKey[]): Promise<void> {
    await this.#tryWrite(async () => {
      await Promise.all(keys.map(({ question, subject, seed }) => this.#answers.remove([question, subject, seed])));
    });
  }

  /** Removes the questions without answers. */
  async removeUnanswered(): Promise<void> {
    await this.#tryWrite(async () => {
      for (const key of this.questions().keys()) {
        if (this.answers(key).next().done) await this.#questions.remove(key);
      }
    });
  }

  /** Returns the size on disk in bytes. */
  async sizeOnDisk(): Promise<number> {
    return (await stat(join(this.folder, FILE))).size;
  }

  /** Closes the store. It stays open until every user in this process has closed it. */
  async close(): Promise<void> {
    const shared = openStores.get(this.folder);
    if (!shared || --shared.users > 0) return;
    openStores.delete(this.folder);
    const closed = Promise.resolve(this.#groupWrites)
      .then(() => this.#root.close())
      .finally(() => closing.delete(this.folder));
    closing.set(this.folder, closed);
    await closed;
  }

  /**
   * Writes immediately if no write is in progress, else together with all writes that arrive until that one is on disk.
   * LMDB commits the writes of one turn of the event loop in one transaction, which costs one flush of the disk,
   * whatever its size.
   */
  #writeInGroup<T>(write: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pendingWrites.push(() => this.#tryWrite(write).then(resolve, reject));
      this.#groupWrites ??= this.#writeGroups();
    });
  }

  async #writeGroups(): Promise<void> {
    while (this.#pendingWrites.length > 0) await Promise.all(this.#pendingWrites.splice(0).map((write) => write()));
    this.#groupWrites = null;
  }

  /** Writes, unless a commit has failed: after a failed commit, lmdb may never settle the promise of another write. */
  async #tryWrite<T>(write: () => Promise<T>): Promise<T> {
    if (this.#commitError) throw this.#commitError;
    try {
      return await write();
    } catch (error) {
      const { message, commitError } = error as Error & { commitError?: Promise<never> };
      if (!commitError) throw new OutputError(this.folder, `an answer cannot be stored: ${message}`, { cause: error });
      const cause = await commitError.catch((reason: Error) => reason);
      const advice = 'check the disk and run again; all answers stored so far are safe';
      this.#commitError ??= new OutputError(this.folder, `an answer cannot be stored: ${cause.message}; ${advice}`, {
        cause,
      });
      throw this.#commitError;
    }
  }
}

/** The stores that are open in this process. */
const openStores = new Map<string, { store: AnswerStore; users: number }>();
/** The stores that are being closed. */
const closing = new Map<string, Promise<void>>();

/**
 * Opens an existing store.
 * @throws InputError if the folder has no store
 *
 * @example
 * ```ts
 * import { defaultStoreFolder, openExistingStore } from 'relflow/captions';
 *
 * const store = await openExistingStore(defaultStoreFolder());
 * console.log(await store.sizeOnDisk(), 'bytes');
 * await store.close();
 * ```
 */
export async function openExistingStore(folder: string): Promise<AnswerStore> {
  const store = await AnswerStore.openExisting(folder);
  if (!store) throw new InputError(folder, 'has no answer store');
  return store;
}
