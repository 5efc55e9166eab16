import { textLines } from '../files/json/json-lines.js';
import { isTooDeep, parseNestedJson } from '../files/json/parse-json.js';
import type { Answer } from '../records/answer.js';
import { schemaProblem } from '../records/schema-problem.js';
import type { AnswerStore } from './answer-store.js';
import { questionKey } from './question-key.js';

/** The result of an import. */
export interface ImportResult {
  readonly added: number;
  /** The number of answers that the store already had, which it keeps. */
  readonly known: number;
  /** The lines that are not valid answers, with the problem. */
  readonly bad: readonly { readonly line: number; readonly problem: string }[];
}

const BATCH = 256;
const MAX_LINE_BYTES = 2 ** 20;

/**
 * Adds the answers of an export to a store. Invalid lines are skipped and reported.
 * @throws InputError if the file cannot be read; OutputError if the store cannot be written
 *
 * @example
 * ```ts
 * import { AnswerStore, importAnswers } from 'relflow/captions';
 *
 * const store = await AnswerStore.open('answers');
 * const { added, known, bad } = await importAnswers(store, 'answers.jsonl');
 * console.log(`${added} added, ${known} already in the store, ${bad.length} invalid lines`);
 * await store.close();
 * ```
 */
export async function importAnswers(store: AnswerStore, file: string): Promise<ImportResult> {
  const bad: { line: number; problem: string }[] = [];
  let added = 0;
  let known = 0;
  let batch: Promise<void>[] = [];
  const add = async ({ question, subject, seed, reply, at }: Answer) => {
    const imported = { ...reply, at };
    const stored = await store.add(question, { question: questionKey(question), subject, seed }, imported);
    if (stored === imported) added++;
    else known++;
  };
  for await (const { text, line } of textLines(file, { maxLineBytes: MAX_LINE_BYTES })) {
    const answer = parseAnswer(text);
    if (typeof answer === 'string') bad.push({ line, problem: answer });
    else batch.push(add(answer));
    if (batch.length < BATCH) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
  return { added, known, bad };
}

/** Returns the answer in a line, or the problem with it. */
function parseAnswer(text: string): Answer | string {
  let value: unknown;
  try {
    value = parseNestedJson(text);
  } catch (error) {
    return isTooDeep(error) ? error.message : 'not JSON';
  }
  return schemaProblem('answer', value) ?? (value as Answer);
}
