import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError, OutputError } from '../errors.js';
import type { Answer, Question } from '../records/answer.js';
import { type AnswerDatabase, causeOf, DATABASE_FILE, inTransaction, openAnswerDatabase } from './answer-database.js';
import type { AnswerKey, CachedReply, NamedSubject } from './answer-key.js';
import { LMDB_FILE } from './lmdb-answers.js';

/** Number of rows that are read at once. */
const PAGE = 1000;

interface AnswerRow {
  readonly subject: string;
  readonly seed: number;
  readonly reply: string;
}

/** A write that waits for its transaction. */
interface PendingWrite {
  readonly write: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

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
  readonly #db: AnswerDatabase['db'];
  readonly #find: AnswerDatabase['find'];
  readonly #named: AnswerDatabase['named'];
  readonly #put: AnswerDatabase['put'];
  readonly #knownQuestions = new Set<string>();
  readonly #pending: PendingWrite[] = [];
  #flush: Promise<void> | null = null;

  private constructor(folder: string, { db, find, named, put }: AnswerDatabase) {
    this.folder = folder;
    this.#db = db;
    this.#find = find;
    this.#named = named;
    this.#put = put;
  }

  /**
   * Opens a store and creates it if necessary. Close it with `close`. The answers of a store of relflow's first format,
   * in LMDB, are copied once.
   * @throws OutputError if the folder cannot be used
   */
  static async open(folder: string): Promise<AnswerStore> {
    const path = resolve(folder);
    while (closing.has(path)) await closing.get(path);
    let shared = openStores.get(path);
    if (!shared) {
      shared = { store: AnswerStore.#create(folder, path), users: 0 };
      openStores.set(path, shared);
    }
    shared.users++;
    try {
      return await shared.store;
    } catch (error) {
      openStores.delete(path);
      throw error;
    }
  }

  static async #create(folder: string, path: string): Promise<AnswerStore> {
    return new AnswerStore(path, await openAnswerDatabase(folder, path));
  }

  /** Opens a store if it exists; null otherwise. */
  static async openExisting(folder: string): Promise<AnswerStore | null> {
    const found = await Promise.all(
      [DATABASE_FILE, LMDB_FILE].map((name) => stat(join(folder, name)).catch(() => null)),
    );
    return found.some((file) => file !== null) ? AnswerStore.open(folder) : null;
  }

  /** Returns an answer, or undefined if the store does not have it. */
  find({ question, subject, seed }: AnswerKey): CachedReply | undefined {
    const row = this.#find.get(question, subject, seed) as AnswerRow | undefined;
    return row && (JSON.parse(row.reply) as CachedReply);
  }

  /**
   * Adds an answer, unless the store already has one for the key.
   * @returns the answer in the store, once it is on disk
   * @throws OutputError if it cannot be written
   */
  async add(question: Question, key: AnswerKey, reply: CachedReply): Promise<CachedReply> {
    let isNew = false;
    await this.#write(() => {
      if (!this.#knownQuestions.has(key.question)) this.#put.question(key.question, question);
      isNew = this.#put.answer(key, reply);
    });
    this.#knownQuestions.add(key.question);
    return isNew ? reply : (this.find(key) ?? reply);
  }

  /** Stores the name of an image in a data set, for exports by image. */
  async nameImage({ dataset, id, subject }: NamedSubject): Promise<void> {
    const named = this.#named.get(dataset, id);
    if ((named as { subject: string } | undefined)?.subject === subject) return;
    await this.#write(() => void this.#put.image({ dataset, id, subject }));
  }

  /** Returns all questions, by key. */
  questions(): ReadonlyMap<string, Question> {
    const rows = this.#db.prepare('SELECT key, question FROM questions ORDER BY key').all() as {
      key: string;
      question: string;
    }[];
    return new Map(rows.map(({ key, question }) => [key, JSON.parse(question) as Question]));
  }

  /** Yields all named images, sorted by data set and id. */
  *images(): Generator<NamedSubject, void> {
    const after = this.#db.prepare(
      `SELECT dataset, id, subject FROM images WHERE (dataset, id) > (?, ?) ORDER BY dataset, id LIMIT ${PAGE}`,
    );
    for (let last = { dataset: '', id: '' }; ; ) {
      const rows = after.all(last.dataset, last.id) as NamedSubject[];
      for (const { dataset, id, subject } of rows) yield { dataset, id, subject };
      if (rows.length < PAGE) return;
      last = rows.at(-1)!;
    }
  }

  /**
   * Yields the answers to a question, sorted by subject and seed.
   * @param question the key of the question, from `questionKey`
   * @param subject only answers about this subject. Default: all
   */
  *answers(question: string, subject?: string): Generator<{ key: AnswerKey; reply: CachedReply }, void> {
    const end = subject === undefined ? '' : 'AND subject = ?';
    const after = this.#db.prepare(
      `SELECT subject, seed, reply FROM answers WHERE question = ? AND (subject, seed) > (?, ?) ${end} ORDER BY subject, seed LIMIT ${PAGE}`,
    );
    for (let last = { subject: subject ?? '', seed: -1 }; ; ) {
      const rows = after.all(question, last.subject, last.seed, ...(subject === undefined ? [] : [subject]));
      for (const row of rows as AnswerRow[]) {
        yield { key: { question, subject: row.subject, seed: row.seed }, reply: JSON.parse(row.reply) as CachedReply };
      }
      if (rows.length < PAGE) return;
      last = rows.at(-1) as AnswerRow;
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
    const one = this.#db.prepare('DELETE FROM answers WHERE question = ? AND subject = ? AND seed = ?');
    await this.#write(() => {
      for (const { question, subject, seed } of keys) one.run(question, subject, seed);
    });
  }

  /** Removes the questions without answers. */
  async removeUnanswered(): Promise<void> {
    this.#knownQuestions.clear();
    await this.#write(() => {
      this.#db.exec('DELETE FROM questions WHERE key NOT IN (SELECT DISTINCT question FROM answers)');
    });
  }

  /** Returns the size on disk in bytes. */
  async sizeOnDisk(): Promise<number> {
    const files = await Promise.all(
      ['', '-wal'].map((end) => stat(join(this.folder, DATABASE_FILE + end)).catch(() => null)),
    );
    return files.reduce((sum, file) => sum + (file?.size ?? 0), 0);
  }

  /** Closes the store. It stays open until every user in this process has closed it. */
  async close(): Promise<void> {
    const shared = openStores.get(this.folder);
    if (!shared || --shared.users > 0) return;
    openStores.delete(this.folder);
    const closed = Promise.resolve(this.#flush)
      .then(() => void this.#db.close())
      .finally(() => closing.delete(this.folder));
    closing.set(this.folder, closed);
    await closed;
  }

  /** Writes in one transaction with all writes of the same turn of the event loop, which costs one sync of the disk. */
  #write(write: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ write, resolve, reject });
      this.#flush ??= new Promise<void>((done) => {
        setImmediate(() => {
          this.#flush = null;
          this.#commit(this.#pending.splice(0));
          done();
        });
      });
    });
  }

  #commit(writes: readonly PendingWrite[]): void {
    try {
      inTransaction(this.#db, () => {
        for (const { write } of writes) write();
      });
    } catch (error) {
      const advice = 'check the disk and run again; all answers stored so far are safe';
      const failure = new OutputError(
        this.folder,
        `an answer cannot be stored: ${causeOf(error, this.folder)}; ${advice}`,
        { cause: error },
      );
      for (const { reject } of writes) reject(failure);
      return;
    }
    for (const { resolve } of writes) resolve();
  }
}

/** The stores that are open in this process. */
const openStores = new Map<string, { store: Promise<AnswerStore>; users: number }>();
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
