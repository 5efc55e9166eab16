import type { CaptionMap } from '../records/caption-file-schemas.js';
import { type AnswerFilter, matchesFilter } from './answer-filter.js';
import type { AnswerStore } from './answer-store.js';
import { captionsOfReply } from './captions-of-reply.js';

/**
 * Returns the captions by image id, in the format of caption files: all answers to each question in the order of their
 * seeds, without refusals, empty answers and thoughts.
 *
 * @param dataset the data set whose images are exported, since two data sets may use the same ids
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { captionsByImage, defaultStoreFolder, openExistingStore } from 'relflow/captions';
 *
 * const store = await openExistingStore(defaultStoreFolder());
 * writeFileSync('captions.json', JSON.stringify(captionsByImage(store, 'coco2017')));
 * await store.close();
 * ```
 */
export function captionsByImage(store: AnswerStore, dataset: string, filter: AnswerFilter = {}): CaptionMap {
  const questions = [...store.questions()].filter(
    ([, question]) => question.protocol !== 'factual-t5' && matchesFilter(filter, question),
  );
  const captions: CaptionMap = {};
  for (const image of store.images()) {
    if (image.dataset !== dataset) continue;
    const texts = questions.flatMap(([key]) =>
      [...store.answers(key, image.subject)].flatMap(({ reply }) => captionsOfReply(reply).texts),
    );
    if (texts.length > 0) captions[image.id] = texts;
  }
  return captions;
}
