import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputError } from '../errors.js';
import type { Question } from '../records/answer.js';
import type { AnswerKey, CachedReply, NamedSubject } from './answer-key.js';

/** The name of the file in the folder of a store. */
export const LMDB_FILE = 'answers.mdb';

/** The content of a store of relflow's first format, in LMDB. */
export interface LmdbAnswers {
  readonly questions: readonly (readonly [key: string, question: Question])[];
  readonly answers: readonly { readonly key: AnswerKey; readonly reply: CachedReply }[];
  readonly images: readonly NamedSubject[];
}

/**
 * Reads the store of the first format in a folder, if there is one.
 * @throws OutputError if it cannot be read, or the package `lmdb` is not installed
 */
export async function readLmdbAnswers(folder: string): Promise<LmdbAnswers | null> {
  if (!(await stat(join(folder, LMDB_FILE)).catch(() => null))) return null;
  const lmdb = await import('lmdb').catch((error) => {
    throw new OutputError(
      folder,
      `${LMDB_FILE} has answers in an earlier format; to convert them once, run \`npm install --no-save lmdb@3\` and then this command again, or move ${LMDB_FILE} away to start without them`,
      { cause: error },
    );
  });
  const root = lmdb.open({ path: join(folder, LMDB_FILE), encoding: 'json', maxDbs: 4, readOnly: true });
  try {
    const questions = root.openDB<Question, string>({ name: 'questions', encoding: 'json' });
    const answers = root.openDB<CachedReply, [string, string, number]>({
      name: 'answers',
      encoding: 'json',
    });
    const images = root.openDB<string, [string, string]>({ name: 'images', encoding: 'json' });
    return {
      questions: [...questions.getRange()].map(({ key, value }) => [key, value] as const),
      answers: [...answers.getRange()].map(({ key: [question, subject, seed], value: reply }) => ({
        key: { question, subject, seed },
        reply,
      })),
      images: [...images.getRange()].map(({ key: [dataset, id], value: subject }) => ({ dataset, id, subject })),
    };
  } finally {
    await root.close();
  }
}
