import { NONE } from '../src/parser/neural/relation-labels.js';
import type { TrainingExample } from './training-example.js';

const determiners = new Set('a an the two three some his her its their'.split(' '));

/**
 * Cuts out the parts of captions that relate two entities: COCO's captions have several of them, FACTUAL's mostly one.
 * @param examples labeled captions
 * @returns the words of each distinct part
 */
export function fragmentsOf(examples: readonly TrainingExample[]): string[][] {
  const fragments = new Map<string, string[]>();
  for (const { words, mentions, attributes, pairs } of examples)
    for (const { first, second, label } of pairs) {
      if (label === NONE) continue;
      const isAttribute = (t: number) => attributes.some(({ start, end }) => start <= t && t < end);
      let { start } = mentions[first]!;
      while (start > 0 && (isAttribute(start - 1) || determiners.has(words[start - 1]!))) start--;
      const cut = words.slice(start, mentions[second]!.end);
      if (cut.length < words.length) fragments.set(cut.join(' '), cut);
    }
  return [...fragments.values()];
}
