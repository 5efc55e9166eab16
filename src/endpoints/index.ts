/**
 * The answers of vision-language models: where they are cached, what they cost, and how they are exported, imported and
 * removed.
 *
 * @module relflow/captions
 */

export type { Answer, Question, Reply, Tokens } from '../records/answer.js';
export type { CaptionMap, CocoCaptions } from '../records/caption-file-schemas.js';
export type { AnswerFilter } from './answer-filter.js';
export { answerStatistics, type QuestionStatistics } from './answer-statistics.js';
export { AnswerStore, openExistingStore } from './answer-store.js';
export type { CachedAnswersOptions } from './cached-answers.js';
export { captionsByImage } from './captions-by-image.js';
export { defaultStoreFolder } from './default-store-folder.js';
export { answerLines } from './export-answers.js';
export { type ForgetOptions, forgetAnswers } from './forget-answers.js';
export { type ImportResult, importAnswers } from './import-answers.js';
export type { PolicyOptions } from './policy-options.js';
export type { Prices } from './prices.js';
export { questionKey } from './question-key.js';
export type { Usage } from './usage.js';
