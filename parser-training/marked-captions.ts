import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { nounLemma, verbLemma } from '../src/parser/language/lemma.js';
import { collectives } from '../src/parser/language/noun-classes.js';
import { partNouns } from '../src/parser/language/prepositions.js';
import { parseFactual } from '../src/records/factual-graph.js';
import type { Entity, TextGraph, TextRelation } from '../src/records/text-graph.js';

/** A relation in words. */
export interface Fact {
  readonly subject: string;
  readonly predicate: string;
  readonly object: string;
}

/** A caption with the relations that a person names, and others that are right. */
export interface MarkedCaption {
  readonly style: string;
  readonly caption: string;
  readonly named: readonly Fact[];
  readonly accepted: readonly Fact[];
}

/** A graph compared with the marks of its caption. */
export interface Comparison {
  /** The relations that count, and whether they are right. */
  readonly stated: readonly { readonly relation: TextRelation; readonly isRight: boolean }[];
  /** What a person names and the graph lacks. */
  readonly missing: readonly Fact[];
}

/** Reads captions with marks: a CSV file with the columns `style`, `caption`, `scene_graph` and `also`. */
export function markedCaptions(file: string | URL): MarkedCaption[] {
  const rows = parse(readFileSync(file, 'utf8'), { columns: true }) as Record<
    'style' | 'caption' | 'scene_graph' | 'also',
    string
  >[];
  return rows.map(({ style, caption, scene_graph, also }) => ({
    style,
    caption,
    named: scene_graph === '' ? [] : parseFactual(scene_graph).relations,
    accepted: also === '' ? [] : parseFactual(also).relations,
  }));
}

/**
 * Compares a graph with the marks of its caption. Nouns are compared by their heads; a phrase is also called what counts, collects or
 * locates it in the caption: "a stack of plates" is a stack or plates, "the edge of a bed" an edge or a bed.
 */
export function compareWithMarks(graph: TextGraph, { caption, named, accepted }: MarkedCaption): Comparison {
  const { entities, relations, coreference = [] } = graph;
  const heads = entities.map(({ span }) => headOf(span));
  // An entity has the names of all phrases that it was read in: "airplane", later "plane".
  const renamed = coreference.flatMap(({ span, entities: of, rule }) =>
    rule === 'same-kind' ? of.map((entity) => [heads[entity]!, headOf(span)] as const) : [],
  );
  const names = entities.map((entity, index) => [
    heads[index]!,
    ...renamed.flatMap(([name, other]) => (name === heads[index] ? [other] : [])),
    ...partitivesOf(caption, entity),
  ]);
  const isSame = (fact: Fact, { subject, object, predicate, lemma }: TextRelation) =>
    names[subject]!.some((from) =>
      names[object]!.some((to) =>
        [predicate, lemma].some((words) => isAlike(fact, { subject: from, predicate: words, object: to })),
      ),
    );
  // `his` and `its` say whose a thing is; people who mark captions seldom name that.
  const stated = relations.filter(
    (one) => !/^(?:his|her|its|their)$/.test(one.predicate) || named.some((fact) => isSame(fact, one)),
  );
  return {
    stated: stated.map((relation) => ({
      relation,
      isRight: [...named, ...accepted].some((fact) => isSame(fact, relation)),
    })),
    missing: named.filter((fact) => !stated.some((one) => isSame(fact, one))),
  };
}

/** Returns the nouns that count, collect or locate a phrase: `slice` in "a slice of buttered toast". */
function partitivesOf(caption: string, { start }: Entity): string[] {
  const noun = /([a-z-]+) of (?:[a-z-]+ ){0,2}$/i.exec(caption.slice(Math.max(0, start - 60), start))?.[1];
  const lemma = noun === undefined ? '' : nounLemma(noun.toLowerCase());
  return collectives.has(lemma) || partNouns.has(lemma) ? [lemma] : [];
}

/** Predicates that say the same of two things. */
const alike = [
  ['have', 'with', "'s"],
  ['wear', 'in', 'dress in', 'with'],
  ['have', 'hold', 'with'],
];

function headOf(phrase: string): string {
  return nounLemma(phrase.split(/\s+/).at(-1)!.toLowerCase());
}

/** Compares the heads of both ends, and the predicate with or without its verb. */
function isAlike(gold: Fact, one: Fact): boolean {
  const ends = (fact: Fact) => `${headOf(fact.subject)}|${headOf(fact.object)}`;
  const [a, b] = [wordsOf(gold.predicate), wordsOf(one.predicate)];
  if (ends(gold) === ends(one)) {
    const isSameVerb = a[0] === b[0] || a.length === 1 || b.length === 1;
    // One of them may leave the verb out: `sitting next to` and `next to`.
    if (a.slice(1).join(' ') === b.join(' ') || b.slice(1).join(' ') === a.join(' ')) return true;
    if (a.join(' ') === b.join(' ') || (a.at(-1) === b.at(-1) && isSameVerb)) return true;
    return alike.some((words) => words.includes(a.join(' ')) && words.includes(b.join(' ')));
  }
  // FACTUAL's conventions: "snow covers the field" for "a field covered with snow", "chair has leg" for "leg of a chair".
  const isSwapped = headOf(gold.subject) === headOf(one.object) && headOf(gold.object) === headOf(one.subject);
  return isSwapped && (a.length > 1 ? a[0] === b[0] : a[0] === 'of' && /^(?:have|'s)$/.test(b[0]!));
}

/** Returns the words of a predicate: its verb as a lemma, and without a part of a place, "sit on" for "sitting on the edge of". */
function wordsOf(predicate: string): string[] {
  const words = predicate
    .replace(
      /\b(on|in|at|near|along|around|from|to|towards?|by) (?:the )?(?:edge|side|corner|cent(?:er|re)|middle|end|base) of$/,
      '$1',
    )
    .split(' ')
    .filter((word) => !/^(?:the|a|an)$/.test(word));
  return words.map((word, k) => (k === 0 ? verbLemma(word) : word));
}
