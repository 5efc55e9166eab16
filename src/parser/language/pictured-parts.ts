import type { CaptionSentence } from './caption-sentences.js';
import { isHangingPicture, pictureHangers, sceneryPictures } from './noun-classes.js';
import { wordSet } from './word-set.js';

/** A part of a caption, in UTF-16 offsets. */
interface Part {
  readonly start: number;
  readonly end: number;
}

/** What a picture in the picture shows, and the word that says so: `of`. */
export interface PicturedPart extends Part {
  readonly predicate: string;
}

/**
 * Returns the parts of a caption that say what a picture in the picture shows: "a laptop with a picture of a dog on a couch" has no
 * couch. They end with the clause, or before the place of the picture.
 */
export function picturedParts(sentences: readonly CaptionSentence[]): PicturedPart[] {
  const parts: PicturedPart[] = [];
  for (const { tokens, words } of sentences) {
    if (!words.some((word) => pictures.has(word))) continue;
    for (let k = 1; k < words.length; k++) {
      // "The photo was taken from a bridge" speaks of the caption's own picture.
      if (/^(?:picture|photo|photograph)$/.test(words[k]!) && /^(?:the|this)$/.test(words[k - 1]!))
        parts.push({ predicate: '', start: tokens[k]!.start, end: tokens[k]!.end });
      if (!shows.has(words[k + 1] ?? '') || !pictures.has(words[k]!) || isTaken(words, k)) continue;
      let end = k + 2;
      while (end < words.length && !ends.has(words[end]!) && !isPlace(words, end)) end++;
      if (end === k + 2) continue;
      parts.push({ predicate: words[k + 1]!, start: tokens[k + 2]!.start, end: tokens[end - 1]!.end });
      k = end;
    }
  }
  return parts;
}

/** Checks whether a phrase begins in a part. */
export const isPictured = (part: Part, { start }: { readonly start: number }): boolean =>
  start >= part.start && start < part.end;

/** Checks for a picture that somebody takes, which shows what is there, or for the caption's own at its start. */
function isTaken(words: readonly string[], k: number): boolean {
  const before = words.slice(Math.max(0, k - 4), k);
  if (isHangingPicture(words)) return false;
  return before.some((word) => takes.has(word)) || !words.slice(0, k).some((word) => contexts.test(word));
}

/** Checks for the place of a picture: "on the wall", "hanging". */
const isPlace = (words: readonly string[], k: number) =>
  words[k] === 'hanging' || (words[k] === 'on' && words.slice(k + 1, k + 4).some((word) => pictureHangers.has(word)));

const pictures: ReadonlySet<string> = new Set([...sceneryPictures].flatMap((word) => [word, `${word}s`]));
const takes = wordSet('take takes taking took taken taker snap snaps snapping shoot shoots shooting for');
/** What is before a picture that is a thing of the scene; "a black and white" is not. */
const contexts = /^(?:on|in|with|at|and|near|of|has|have|is|are|there|that|displays?|[a-z]{2,}ing|shows|holds|bears)$/;
const shows = wordSet('of showing depicting featuring');
const ends = wordSet(', while that which who is are it them hangs hang sits stands');
