import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type Libsql from 'libsql';
import { InputError, OutputError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import { describeSystemError } from '../files/system-error.js';
import type { Answer, Question, Reply } from '../records/answer.js';
import { readLmdbAnswers } from './lmdb-answers.js';

type Database = Libsql.Database;
type Statement<P extends unknown[]> = Libsql.Statement<P>;

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

const FORMAT = 'relflow.answers/2';
const FILE = 'answers.sqlite';
const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS questions (key TEXT PRIMARY KEY, question TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS answers (
    question TEXT NOT NULL, subject TEXT NOT NULL, seed INTEGER NOT NULL, reply TEXT NOT NULL,
    PRIMARY KEY (question, subject, seed)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS images (
    dataset TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (dataset, id)
  ) WITHOUT ROWID;`;
/** How long a write waits for those of other processes, in milliseconds. */
const BUSY_MILLISECONDS = 60_000;
/** Number of rows that are read at once. */
const PAGE = 1000;

interface AnswerRow {
  readonly subject: string;
  readonly seed: number;
  readonly reply: string;
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
  readonly #db: Database;
  readonly #find: Statement<[string, string, number]>;
  readonly #named: Statement<[string, string]>;
  readonly #put: ReturnType<typeof prepareWrites>;
  readonly #knownQuestions = new Set<string>();
  #pending: { write: () => void; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #flush: Promise<void> | null = null;

  private constructor(folder: string, db: Database) {
    this.folder = folder;
    this.#db = db;
    this.#named = db.prepare('SELECT subject FROM images WHERE dataset = ? AND id = ?');
    this.#put = prepareWrites(db);
    this.#find = db.prepare('SELECT reply FROM answers WHERE question = ? AND subject = ? AND seed = ?');
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
    const { default: Libsql } = await import('libsql');
    let db: Database | null = null;
    try {
      await makeFolder(path);
      db = new Libsql(join(path, FILE)) as Database;
      db.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`);
      db.exec('PRAGMA journal_mode = WAL');
      // The write-ahead log is synced at each commit, so that a stored answer survives a power cut.
      db.exec('PRAGMA synchronous = FULL');
      const format = formatOf(db);
      if (format === null) await initialize(db, path);
      else if (format !== FORMAT) throw new Error(`its format is '${format}', expected ${FORMAT}`);
      return new AnswerStore(path, db);
    } catch (error) {
      db?.close();
      if (error instanceof OutputError) throw error;
      throw new OutputError(folder, `cannot be used as an answer store: ${causeOf(error, folder)}`, { cause: error });
    }
  }

  /** Opens a store if it exists; null otherwise. */
  static async openExisting(folder: string): Promise<AnswerStore | null> {
    const found = await Promise.all([FILE, 'answers.mdb'].map((name) => stat(join(folder, name)).catch(() => null)));
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
    const files = await Promise.all(['', '-wal'].map((end) => stat(join(this.folder, FILE + end)).catch(() => null)));
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

  #commit(writes: readonly { write: () => void; resolve: () => void; reject: (error: unknown) => void }[]): void {
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

/** Creates the tables and copies the answers of a store of the first format, in one transaction. */
async function initialize(db: Database, folder: string): Promise<void> {
  const earlier = await readLmdbAnswers(folder);
  inTransaction(db, () => {
    db.exec(TABLES);
    const put = prepareWrites(db);
    for (const [key, question] of earlier?.questions ?? []) put.question(key, question);
    for (const { key, reply } of earlier?.answers ?? []) put.answer(key, reply);
    for (const image of earlier?.images ?? []) put.image(image);
    db.prepare("INSERT OR IGNORE INTO meta VALUES ('format', ?)").run(FORMAT);
  });
}

function formatOf(db: Database): string | null {
  if (!db.prepare("SELECT name FROM sqlite_master WHERE name = 'meta'").get()) return null;
  const row = db.prepare("SELECT value FROM meta WHERE key = 'format'").get() as { value: string } | undefined;
  return row?.value ?? null;
}

/** Prepares the statements that add to a store. */
function prepareWrites(db: Database) {
  const question = db.prepare('INSERT OR REPLACE INTO questions VALUES (?, ?)');
  const answer = db.prepare('INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)');
  const image = db.prepare('INSERT OR REPLACE INTO images VALUES (?, ?, ?)');
  return {
    question: (key: string, value: Question) => question.run(key, JSON.stringify(value)),
    /** @returns false when there is an answer already */
    answer: (key: AnswerKey, reply: CachedReply) =>
      answer.run(key.question, key.subject, key.seed, JSON.stringify(reply)).changes > 0,
    image: ({ dataset, id, subject }: NamedSubject) => image.run(dataset, id, subject),
  };
}

/** Writes all or nothing, and syncs it to the disk. */
function inTransaction(db: Database, write: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    write();
    db.exec('COMMIT');
  } catch (error) {
    try {
      db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back already.
    }
    throw error;
  }
}

/** Describes an error of SQLite or the operating system: the cause and its code. */
function causeOf(error: unknown, folder: string): string {
  const { code, message } = error as Error & { code?: unknown };
  const known = describeSystemError(error, folder);
  if (known !== null || typeof code !== 'string') return known ?? message;
  return `${code === 'SQLITE_FULL' ? 'the disk is full' : message} (${code})`;
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
