import type { CaptionMap } from '../records/caption-file-schemas.js';
import { type AnswerFilter, matchesFilter } from './answer-filter.js';
import type { AnswerStore } from './answer-store.js';

/** The answers as JSON lines, `schemas/answer.schema.json`; the same store gives the same bytes. */
export function* answerLines(store: AnswerStore, filter: AnswerFilter = {}): Generator<string, void> {
  for (const answer of store.lines()) if (matchesFilter(filter, answer.question)) yield `${JSON.stringify(answer)}\n`;
}

/**
 * The captions by image, as caption files have them: all answers to each question, in the order of their seeds, without
 * refusals and empty ones.
 *
 * @param dataset only images of this data set, since two sets may use the same ids
 */
export function captionsByImage(store: AnswerStore, dataset: string, filter: AnswerFilter = {}): CaptionMap {
  const questions = [...store.questions()].filter(
    ([, question]) => question.protocol !== 'factual-t5' && matchesFilter(filter, question),
  );
  const captions: CaptionMap = {};
  for (const image of store.images()) {
    if (image.dataset !== dataset) continue;
    const texts = questions.flatMap(([key]) =>
      [...store.answers(key, image.subject)].flatMap(({ reply: { text, refused } }) =>
        refused || text === '' ? [] : [text.replace(/\s+/g, ' ')],
      ),
    );
    if (texts.length > 0) captions[image.id] = texts;
  }
  return captions;
}
