import { join } from 'node:path';
import type Libsql from 'libsql';
import { OutputError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import { describeSystemError } from '../files/system-error.js';
import type { Question } from '../records/answer.js';
import type { AnswerKey, CachedReply, NamedSubject } from './answer-key.js';
import { readLmdbAnswers } from './lmdb-answers.js';

type Database = Libsql.Database;
type Statement<P extends unknown[]> = Libsql.Statement<P>;

const FORMAT = 'relflow.answers/2';
/** The name of the file in the folder of a store. */
export const DATABASE_FILE = 'answers.sqlite';
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

/** An open database of answers, with the statements that read or add a row. */
export interface AnswerDatabase {
  readonly db: Database;
  readonly find: Statement<[question: string, subject: string, seed: number]>;
  readonly named: Statement<[dataset: string, id: string]>;
  readonly put: ReturnType<typeof prepareWrites>;
}

/**
 * Opens the database of a store, in SQLite, and creates it if necessary. The answers of a store of relflow's first format, in
 * LMDB, are copied once.
 * @param folder as the user wrote it, for messages
 * @param path of the folder, absolute
 * @throws OutputError if the folder cannot be used
 */
export async function openAnswerDatabase(folder: string, path: string): Promise<AnswerDatabase> {
  const { default: Libsql } = await import('libsql');
  let db: Database | null = null;
  try {
    await makeFolder(path);
    db = new Libsql(join(path, DATABASE_FILE)) as Database;
    db.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`);
    db.exec('PRAGMA journal_mode = WAL');
    // The write-ahead log is synced at each commit, so that a stored answer survives a power cut.
    db.exec('PRAGMA synchronous = FULL');
    const format = formatOf(db);
    if (format === null) await initialize(db, path);
    else if (format !== FORMAT) throw new Error(`its format is '${format}', expected ${FORMAT}`);
    return {
      db,
      find: db.prepare('SELECT reply FROM answers WHERE question = ? AND subject = ? AND seed = ?'),
      named: db.prepare('SELECT subject FROM images WHERE dataset = ? AND id = ?'),
      put: prepareWrites(db),
    };
  } catch (error) {
    db?.close();
    if (error instanceof OutputError) throw error;
    throw new OutputError(folder, `cannot be used as an answer store: ${causeOf(error, folder)}`, { cause: error });
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
export function inTransaction(db: Database, write: () => void): void {
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
export function causeOf(error: unknown, folder: string): string {
  const { code, message } = error as Error & { code?: unknown };
  const known = describeSystemError(error, folder);
  if (known !== null || typeof code !== 'string') return known ?? message;
  return `${code === 'SQLITE_FULL' ? 'the disk is full' : message} (${code})`;
}
