import { digest } from '../files/digest.js';
import type { Question } from '../records/answer.js';

/**
 * Returns the key of a question in a store: 24 hexadecimal digits, independent of the order of its parameters.
 *
 * @example
 * ```ts
 * import { questionKey } from 'relflow/captions';
 *
 * questionKey({ protocol: 'hf-chat', model: 'tiny/vlm', prompt: 'Describe.', parameters: { temperature: 0 } });
 * ```
 */
export const questionKey = (question: Question): string => digest(question).slice(0, 24);
