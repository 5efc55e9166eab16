import { NONE } from '../src/parser/neural/relation-labels.js';
import type { TrainingExample } from './training-example.js';

const determiners = new Set('a an the two three some his her its their'.split(' '));

/**
 * What captions say of two things, cut out: captions of COCO have several such parts, those that people made graphs of mostly
 * one.
 * @param examples captions with what is believed of them
 * @returns words of each part, each once
 */
export function fragmentsOf(examples: readonly TrainingExample[]): string[][] {
  const fragments = new Map<string, string[]>();
  for (const { words, mentions, attributes, pairs } of examples)
    for (const { first, second, label } of pairs) {
      if (label === NONE) continue;
      const isSaid = (t: number) => attributes.some(({ start, end }) => start <= t && t < end);
      let { start } = mentions[first]!;
      while (start > 0 && (isSaid(start - 1) || determiners.has(words[start - 1]!))) start--;
      const cut = words.slice(start, mentions[second]!.end);
      if (cut.length < words.length) fragments.set(cut.join(' '), cut);
    }
  return [...fragments.values()];
}
