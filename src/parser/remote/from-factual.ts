import { type FactualGraph, isFactualQuantity } from '../../records/factual-graph.js';
import type { Entity, TextGraph } from '../../records/text-graph.js';
import { nounLemma } from '../language/lemma.js';
import { statedRelation } from '../language/stated-relation.js';
import { type Token, tokenize } from '../language/tokenize.js';

/**
 * Converts a FACTUAL graph, which consists of words alone, to the graph of a caption. Entities with the same name become one.
 * The span of an entity is the first place where the caption has the lemmas of its name. If the caption does not have them,
 * the span is the name, and `start` and `end` are 0 and the span's length. FACTUAL's predicates are lemmas; the result has the
 * words of the caption, such as `riding`, and is empty where the caption has none.
 */
export function fromFactual(caption: string, { relations, attributes, entities: alone }: FactualGraph): TextGraph {
  const words = tokenize(caption, caption.length).flat();
  const texts = words.map(({ text }) => text);
  const said = attributes.map(({ entity }) => entity);
  const names = [...new Set([...relations.flatMap(({ subject, object }) => [subject, object]), ...said, ...alone])];
  const entities = names.map((name): Entity => {
    const own = attributes.filter(({ entity }) => entity === name).map(({ attribute }) => attribute);
    const quantity = own.find(isFactualQuantity);
    return {
      ...spanOf(name, caption, words),
      ...(quantity !== undefined && { quantity: quantity.replace(/ of$/, '') }),
      attributes: own.filter((attribute) => attribute !== quantity).map((text) => ({ text, lemma: text })),
    };
  });
  return {
    entities,
    relations: relations.map(({ subject, predicate, object }) => {
      const ends = [names.indexOf(subject), names.indexOf(object)] as const;
      const isForward = entities[ends[0]]!.start <= entities[ends[1]]!.start;
      const [first, second] = isForward ? ends : [ends[1], ends[0]];
      return statedRelation(...ends, {
        words: texts,
        isPhrase: (index) =>
          entities.some(({ start, end }) => words[index]!.start >= start && words[index]!.end <= end),
        first: wordsWithin(entities[first]!, words),
        second: wordsWithin(entities[second]!, words),
        isForward,
        predicate,
      });
    }),
  };
}

function spanOf(name: string, caption: string, words: readonly Token[]): Omit<Entity, 'attributes'> {
  const parts = name.split(' ');
  const found = words.findIndex((_, at) =>
    parts.every((part, k) => {
      const word = words[at + k]?.text;
      return word !== undefined && (word === part || nounLemma(word) === nounLemma(part));
    }),
  );
  if (found === -1) {
    return { span: name, start: 0, end: name.length, head: parts.at(-1)!, lemma: nounLemma(parts.at(-1)!) };
  }
  const { start } = words[found]!;
  const last = words[found + parts.length - 1]!;
  const span = caption.slice(start, last.end);
  return {
    span,
    start,
    end: last.end,
    head: last.text,
    lemma: nounLemma(last.text),
    ...(span.toLowerCase() !== name && { name }),
  };
}

/** Returns the indices of an entity's first word and of the one after its last. */
function wordsWithin(
  { start, end }: Entity,
  words: readonly Token[],
): { readonly start: number; readonly end: number } {
  const from = words.findIndex((word) => word.end > start);
  const to = words.findIndex((word) => word.start >= end);
  return { start: from < 0 ? words.length : from, end: to < 0 ? words.length : to };
}
