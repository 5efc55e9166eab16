import { textLines } from '../files/json/json-lines.js';
import type { Answer } from '../records/answer.js';
import { schemaProblem } from '../records/schema-problem.js';
import { type AnswerStore, questionKey } from './answer-store.js';

/** What came of an import. */
export interface ImportResult {
  readonly added: number;
  /** Those that the store had already; its own stay. */
  readonly known: number;
  /** Lines that are no answers, with what is wrong. */
  readonly bad: readonly { readonly line: number; readonly problem: string }[];
}

const BATCH = 256;
const MAX_LINE_BYTES = 2 ** 20;

/**
 * Takes in the lines of an export. A line that is no answer is left out and named.
 * @throws InputError where the file can't be read; OutputError where the store can't be written
 */
export async function importAnswers(store: AnswerStore, file: string): Promise<ImportResult> {
  const bad: { line: number; problem: string }[] = [];
  let added = 0;
  let known = 0;
  let batch: Promise<void>[] = [];
  const take = async ({ question, subject, seed, reply, at }: Answer) => {
    const given = { ...reply, at };
    const kept = await store.keep(question, { question: questionKey(question), subject, seed }, given);
    if (kept === given) added++;
    else known++;
  };
  for await (const { text, line } of textLines(file, { maxLineBytes: MAX_LINE_BYTES })) {
    const answer = parseAnswer(text);
    if (typeof answer === 'string') bad.push({ line, problem: answer });
    else batch.push(take(answer));
    if (batch.length < BATCH) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
  return { added, known, bad };
}

/** The answer in a line, or what is wrong with it. */
function parseAnswer(text: string): Answer | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  return schemaProblem('answer', value) ?? (value as Answer);
}
