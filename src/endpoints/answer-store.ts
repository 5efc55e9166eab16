import { mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { InputError, OutputError } from '../errors.js';
import { digest } from '../files/digest.js';
import type { Answer, Question, Reply } from '../records/answer.js';

/** What is kept of an answer. */
export type CachedReply = Reply & { readonly at: string };

/** Which answer of which question about what. */
export interface AnswerKey {
  /** As `questionKey` gives it. */
  readonly question: string;
  /** SHA-256 of the image file or the text, in hexadecimal. */
  readonly subject: string;
  readonly seed: number;
}

/** An image by the name that its data set gives it. */
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

/** The key of a question in a store: 24 hexadecimal digits. */
export const questionKey = (question: Question): string => digest(question).slice(0, 24);

/**
 * Answers of models, each paid for once: on disk, by question, subject and seed. An answer is there for every other
 * process as soon as `keep` resolves, and survives the end of this one, kill -9 included. Any number of processes of one
 * machine may share a store; a network folder can't hold one.
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
    else if (format !== FORMAT) throw new Error(`it is of the format '${format}', this is relflow with ${FORMAT}`);
  }

  /**
   * Opens the store, made if there is none. To be given back with `close`.
   * @throws OutputError where the folder can't be used
   */
  static async open(folder: string): Promise<AnswerStore> {
    const { open } = await import('lmdb');
    const path = resolve(folder);
    while (closing.has(path)) await closing.get(path);
    // Nothing is awaited from here on: LMDB must not open a file twice in one process.
    let shared = openStores.get(path);
    try {
      if (!shared) {
        mkdirSync(path, { recursive: true });
        const root = open({ path: join(path, FILE), encoding: 'json', maxDbs: 4, ...SAFE_OPTIONS });
        shared = { store: new AnswerStore(path, root), users: 0 };
        openStores.set(path, shared);
      }
    } catch (error) {
      throw new OutputError(folder, `can't hold the answers of models: ${(error as Error).message}`, { cause: error });
    }
    shared.users++;
    return shared.store;
  }

  /** The same without making one; null where there is none. */
  static async openExisting(folder: string): Promise<AnswerStore | null> {
    const found = await stat(join(folder, FILE)).catch(() => null);
    return found ? AnswerStore.open(folder) : null;
  }

  /** The answer, or undefined where it has not been asked for yet. */
  find({ question, subject, seed }: AnswerKey): CachedReply | undefined {
    return this.#answers.get([question, subject, seed]);
  }

  /**
   * Keeps an answer unless another process was faster.
   * @returns the answer that is kept, when it is safe
   * @throws OutputError where it can't be written
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

  /** Keeps under which name a data set has an image, for exports by image. */
  async nameImage({ dataset, id, subject }: NamedSubject): Promise<void> {
    if (this.#images.get([dataset, id]) === subject) return;
    await this.#writeInGroup(async () => this.#images.put([dataset, id], subject));
  }

  /** The questions that were asked, by key. */
  questions(): ReadonlyMap<string, Question> {
    return new Map([...this.#questions.getRange()].map(({ key, value }) => [key, value]));
  }

  /** All images that have a name, by data set and id. */
  *images(): Generator<NamedSubject, void> {
    for (const { key, value } of this.#images.getRange()) yield { dataset: key[0], id: key[1], subject: value };
  }

  /**
   * The answers to a question, of one subject or all, by subject and seed.
   * @param question as `questionKey` gives it
   */
  *answers(question: string, subject?: string): Generator<{ key: AnswerKey; reply: CachedReply }, void> {
    // Subjects are hexadecimal, so that all come before a letter beyond f.
    const end = subject === undefined ? [question, 'g'] : [question, subject, Number.MAX_SAFE_INTEGER];
    const start = subject === undefined ? [question] : [question, subject];
    for (const { key, value } of this.#answers.getRange({ start, end })) {
      yield { key: { question: key[0], subject: key[1], seed: key[2] }, reply: value };
    }
  }

  /** Everything as lines of an export, in an order that depends on the content alone. */
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

  /** Forgets answers; they will be asked for again. */
  async remove(keys: readonly AnswerKey[]): Promise<void> {
    await this.#tryWrite(async () => {
      await Promise.all(keys.map(({ question, subject, seed }) => this.#answers.remove([question, subject, seed])));
    });
  }

  /** Forgets the questions to which there is no answer any more. */
  async removeUnanswered(): Promise<void> {
    await this.#tryWrite(async () => {
      for (const key of this.questions().keys()) {
        if (this.answers(key).next().done) await this.#questions.remove(key);
      }
    });
  }

  /** Size on disk, in bytes. */
  async sizeOnDisk(): Promise<number> {
    return (await stat(join(this.folder, FILE))).size;
  }

  /** Closes the store once everyone who opened it has closed it. */
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
   * Writes at once where nothing is being written; else together with all that comes until that is on disk. LMDB makes
   * one transaction of what is written in a turn, and each costs a flush of the disk, whatever its size.
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

  /** Writes, unless a commit has failed: after one, lmdb may never settle the promise of another. */
  async #tryWrite<T>(write: () => Promise<T>): Promise<T> {
    if (this.#commitError) throw this.#commitError;
    try {
      return await write();
    } catch (error) {
      const { message, commitError } = error as Error & { commitError?: Promise<never> };
      if (!commitError) throw new OutputError(this.folder, `an answer cannot be kept: ${message}`, { cause: error });
      const cause = await commitError.catch((reason: Error) => reason);
      const advice = 'check the disk and run again; all answers kept so far are safe';
      this.#commitError ??= new OutputError(this.folder, `an answer cannot be kept: ${cause.message}; ${advice}`, {
        cause,
      });
      throw this.#commitError;
    }
  }
}

/** Stores that are open in this process. */
const openStores = new Map<string, { store: AnswerStore; users: number }>();
const closing = new Map<string, Promise<void>>();

/**
 * Opens a store that has to be there.
 * @throws InputError where there is none
 */
export async function openExistingStore(folder: string): Promise<AnswerStore> {
  const store = await AnswerStore.openExisting(folder);
  if (!store) throw new InputError(folder, 'holds no answers of models');
  return store;
}
