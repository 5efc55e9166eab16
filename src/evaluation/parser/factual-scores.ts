import type { FactualGraph, FactualRelation } from '../../records/factual-graph.js';
import type { CaptionWords } from './caption-words.js';

/** Returns the graph with every word replaced by its lemma, except `is`. */
export function lemmatizeFactual({ relations, attributes, entities }: FactualGraph, words: CaptionWords): FactualGraph {
  const lemmas = (phrase: string) =>
    phrase
      .split(' ')
      .map((word) => (word === 'is' ? word : words.lemma(word)))
      .join(' ');
  return {
    relations: relations.map((fact) => ({
      subject: lemmas(fact.subject),
      predicate: lemmas(fact.predicate),
      object: lemmas(fact.object),
    })),
    attributes: attributes.map((fact) => ({ entity: lemmas(fact.entity), attribute: lemmas(fact.attribute) })),
    entities: entities.map(lemmas),
  };
}

/** Checks whether two graphs have the same facts in the same words, in any order. */
export function isSetMatch(predicted: FactualGraph, gold: FactualGraph): boolean {
  const [a, b] = [factKeys(predicted), factKeys(gold)];
  return a.size === b.size && [...a].every((fact) => b.has(fact));
}

const factKeys = ({ relations, attributes, entities }: FactualGraph): ReadonlySet<string> =>
  new Set([...relations, ...attributes, ...entities].map((fact) => JSON.stringify(fact)));

/** A SPICE tuple of one, two or three phrases: an entity, an entity and its attribute, or a relation. */
type Tuple = readonly string[];

/**
 * Returns the tuples that SPICE compares, sorted by their words: every entity once, including those of facts, and the facts.
 */
export function spiceTuples({ relations, attributes, entities }: FactualGraph): Tuple[] {
  const tuples: Tuple[] = [
    ...entities.map((entity) => [entity]),
    ...attributes.flatMap(({ entity, attribute }) => [[entity], [entity, attribute]]),
    ...relations.flatMap(({ subject, predicate, object }) => [[subject], [object], [subject, predicate, object]]),
  ];
  const keyed = new Map(tuples.map((tuple) => [tuple.join(' , '), tuple]));
  const order = ([a, x]: [string, Tuple], [b, y]: [string, Tuple]) =>
    compare(x.join(' '), y.join(' ')) || compare(a, b);
  return [...keyed].sort(order).map(([, tuple]) => tuple);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Returns SPICE's F score of two graphs, in [0, 1]. Equal tuples are matched first. With `words`, each remaining tuple is
 * matched to the first unmatched gold tuple with which every part shares a meaning. Two empty graphs score 1.
 *
 * Source: SPICE (Anderson et al., 2016) as FACTUAL's tool computes it, without merging tuples of synonyms.
 */
export function spiceScore(predicted: FactualGraph, gold: FactualGraph, words?: CaptionWords): number {
  const tuples = spiceTuples(predicted);
  const goldTuples = new Map(spiceTuples(gold).map((tuple) => [JSON.stringify(tuple), tuple]));
  const total = tuples.length + goldTuples.size;
  if (total === 0) return 1;
  const rest = tuples.filter((tuple) => !goldTuples.delete(JSON.stringify(tuple)));
  let matched = tuples.length - rest.length;
  if (words) {
    for (const tuple of rest) {
      const synonym = [...goldTuples].find(([, other]) => areSynonyms(tuple, other, words));
      if (synonym && goldTuples.delete(synonym[0])) matched++;
    }
  }
  return (2 * matched) / total;
}

const areSynonyms = (a: Tuple, b: Tuple, { meanings }: CaptionWords): boolean =>
  a.length === b.length && a.every((phrase, k) => haveCommonElement(meanings(phrase), meanings(b[k]!)));

/** Returns whether two relations with lemmatized words have the same three parts, or synonyms of them. */
export function sameRelation(a: FactualRelation, b: FactualRelation, words: CaptionWords): boolean {
  const isSame = (part: keyof FactualRelation) => a[part] === b[part] || areSynonyms([a[part]], [b[part]], words);
  return isSame('subject') && isSame('predicate') && isSame('object');
}

/** Returns the number of predicted relations with a gold relation of their own that is the same. */
export function matchedRelations(predicted: FactualGraph, gold: FactualGraph, words: CaptionWords): number {
  const rest = [...gold.relations];
  const takesOne = (isMatch: (other: FactualRelation) => boolean) => {
    const at = rest.findIndex(isMatch);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  };
  const unequal = predicted.relations.filter((relation) => {
    const key = JSON.stringify(relation);
    return !takesOne((other) => JSON.stringify(other) === key);
  });
  const unmatched = unequal.filter((relation) => !takesOne((other) => sameRelation(relation, other, words)));
  return predicted.relations.length - unmatched.length;
}

function haveCommonElement(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const meaning of a) if (b.has(meaning)) return true;
  return false;
}
