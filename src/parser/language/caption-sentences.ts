import { cleanCaption } from './clean-caption.js';
import { colors } from './closed-classes.js';
import { isEnglish } from './is-english.js';
import { isAdjective } from './lemma.js';
import { isHangingPicture } from './noun-classes.js';
import { maxCaptionLength, type Token, tokenize } from './tokenize.js';
import { withoutLoops } from './without-loops.js';
import { wordSet } from './word-set.js';

/** A sentence of a caption. */
export interface CaptionSentence {
  readonly tokens: readonly Token[];
  /** The texts of its tokens. */
  readonly words: readonly string[];
  /** Whether it asks, so that nothing in it is stated. */
  readonly isQuestion: boolean;
}

/**
 * Splits a caption into the sentences that parsers read, without markup and without what is said of the picture itself: "The image
 * shows a dog." is "a dog". A caption that is not English has none.
 */
export function captionSentences(caption: string): CaptionSentence[] {
  // One unit more shows whether a word crosses the limit.
  const text = cleanCaption(caption.slice(0, maxCaptionLength + 1));
  const sentences: (readonly Token[])[] = tokenize(text, maxCaptionLength);
  const words = sentences.map((tokens) => tokens.map(({ text: word }) => word));
  for (const [k, all] of words.entries()) {
    const kept = withoutLoops(all);
    if (!kept) continue;
    sentences[k] = kept.map((index) => sentences[k]![index]!);
    words[k] = kept.map((index) => all[index]!);
  }
  if (!isEnglish(words.length === 1 ? words[0]! : words.flat())) return [];
  const mayAsk = text.includes('?');
  const found: CaptionSentence[] = [];
  for (let k = 0; k < sentences.length; k++) {
    const skipped = pictureLength(words[k]!);
    const rest = skipped === 0 ? sentences[k]! : sentences[k]!.slice(skipped);
    if (rest.length === 0) continue;
    found.push({
      tokens: rest,
      words: skipped === 0 ? words[k]! : words[k]!.slice(skipped),
      isQuestion: mayAsk && /^[\s"”’')]*\?/.test(text.slice(rest.at(-1)!.end, rest.at(-1)!.end + 8)),
    });
  }
  return found;
}

/** Returns the number of words at the start of a sentence that speak of the picture: "in this photo,", "the scene features". */
function pictureLength(words: readonly string[]): number {
  let start = 0;
  for (;;) {
    const end = pictureEnd(words, start);
    if (end === start) return start;
    start = end;
  }
}

function pictureEnd(words: readonly string[], start: number): number {
  let k = start;
  if (words[k] === 'sure') k += words[k + 1] === ',' ? 2 : 1;
  if (/^(?:here|this|it|that)$/.test(words[k] ?? '') && /^(?:is|'s)$/.test(words[k + 1] ?? '')) k += 2;
  else if (words[k] === 'in' || words[k] === 'throughout') k++;
  const isLocation = words[k - 1] === 'in' || words[k - 1] === 'throughout';
  if (/^(?:the|this|a|an)$/.test(words[k] ?? '')) k++;
  while (words[k] !== undefined && !pictures.has(words[k]!) && isModifier(words[k]!)) k++;
  if (words[k] === 'close' && words[k + 1] === 'up') k++;
  else if (isBackdrop(words, k)) return k + 2;
  else if (!pictures.has(words[k] ?? '')) return start;
  k++;
  if (words[k] === 'for' && pictures.has(words[k + 2] ?? '')) k += 3;
  if (isLocation) return words[k] === ',' || words[k] === 'we' ? k + 1 : start === 0 && words[k] !== 'of' ? k : start;
  if (words[k] === 'also') k++;
  if (words[k] === 'of' && isHangingPicture(words)) return start;
  if (/^(?:takes place|is set) /.test(words.slice(k, k + 3).join(' '))) return k + 2;
  if (words[k] === ',' || words[k] === 'of' || shows.has(words[k] ?? '')) return k + 1;
  if (words[k] === 'is')
    return words[k + 1] === 'of' ? k + 2 : /^(?:a|an|the)$/.test(words[k + 1] ?? '') ? k + 1 : start;
  return start;
}

/** "The background features" */
const isBackdrop = (words: readonly string[], k: number) =>
  /^(?:back|fore)ground$/.test(words[k] ?? '') && shows.has(words[k + 1] ?? '');
const isModifier = (word: string) => word === 'and' || word === '-' || colors.has(word) || isAdjective(word);
const pictures = wordSet(
  'image photo photograph picture scene shot view snapshot close-up closeup caption description screenshot footage',
);
const shows =
  wordSet(`shows showing depicts depicting captures capturing features featuring displays displaying presents portrays portraying contains
  containing includes showcases illustrates`);
