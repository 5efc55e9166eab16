import type { Reply } from '../records/answer.js';
import { withoutThoughts } from './without-thoughts.js';

/** The captions in a reply. */
export interface ReplyCaptions {
  /** Without line breaks; none if the model refused, or wrote nothing but thoughts. */
  readonly texts: readonly string[];
  /** Whether the model wrote thoughts. */
  readonly hasThoughts: boolean;
}

/** Returns the captions in a reply, also without the thoughts that earlier versions of relflow stored as captions. */
export function captionsOfReply({ text, others = [], refused, thoughts }: Reply): ReplyCaptions {
  const cleaned = [text, ...others].map(withoutThoughts);
  const texts = cleaned.map((one) => one.text.replace(/\s+/g, ' ').trim()).filter((caption) => caption !== '');
  return {
    texts: refused ? [] : texts,
    hasThoughts: thoughts === true || cleaned.some(({ hasThoughts }) => hasThoughts),
  };
}
