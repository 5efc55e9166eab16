import { tagNames } from '../src/parser/tagging/word-tags.js';

/** Counts the tags of each word, by their numbers in `tagNames`; words without a tag do not count. */
export function tagCounts(
  sentences: Iterable<{ readonly words: readonly string[]; readonly tags: ArrayLike<number | undefined> }>,
): Map<string, Uint32Array> {
  const counts = new Map<string, Uint32Array>();
  for (const { words, tags } of sentences)
    for (const [k, word] of words.entries()) {
      const tag = tags[k];
      if (tag === undefined) continue;
      if (!counts.has(word)) counts.set(word, new Uint32Array(tagNames.length));
      counts.get(word)![tag]!++;
    }
  return counts;
}
