import type { TextGraph } from './text-graph.js';

/**
 * The graph of a caption in FACTUAL's format, which consists of words only:
 * `( man , ride , horse ) , ( horse , is , brown ) , ( dog )`.
 *
 * Source: FACTUAL (Li et al., 2023), the format of its data and of its tool.
 */
export interface FactualGraph {
  readonly relations: readonly FactualRelation[];
  /** Attributes, including quantities: `( dog , is , 2 )`. */
  readonly attributes: readonly FactualAttribute[];
  /** Entities that no relation and no attribute mentions: `( dog )`. */
  readonly entities: readonly string[];
}

/** A relation `( subject , predicate , object )`. */
export interface FactualRelation {
  readonly subject: string;
  readonly predicate: string;
  readonly object: string;
}

/** An attribute `( entity , is , attribute )`. */
export interface FactualAttribute {
  readonly entity: string;
  readonly attribute: string;
}

/**
 * Parses FACTUAL's format. It also accepts common variants: any spacing around punctuation, `( dog , brown )` for
 * `( dog , is , brown )`, more than three parts (the middle ones are joined to form the predicate), and a missing
 * bracket at either end. Duplicate facts are kept once. It never throws: a text without brackets is one fact.
 *
 * @example
 * ```ts
 * import { parseFactual } from 'relflow/evaluation';
 *
 * const { relations, attributes } = parseFactual('( man , ride , horse ) , ( horse , is , brown )');
 * console.log(relations[0]?.predicate, attributes[0]?.attribute); // ride brown
 * ```
 */
export function parseFactual(text: string): FactualGraph {
  const graph = { relations: [] as FactualRelation[], attributes: [] as FactualAttribute[], entities: [] as string[] };
  for (const parts of factsOf(text)) {
    const [first, second] = parts as [string, string?];
    const last = parts.at(-1)!;
    if (parts.length === 1) graph.entities.push(first);
    else if (parts.length === 2 || (parts.length === 3 && second === 'is'))
      graph.attributes.push({ entity: first, attribute: last });
    else graph.relations.push({ subject: first, predicate: parts.slice(1, -1).join(' '), object: last });
  }
  return distinct(graph);
}

/** Returns why a text is not in FACTUAL's format, e.g. `a fact with an empty part`; undefined if it is. */
export function factualProblem(text: string): string | undefined {
  if (text.trim() === '') return 'no facts';
  if (!/^\s*\([^()]*\)(?:\s*,\s*\([^()]*\))*\s*$/.test(text)) return 'brackets that do not separate facts';
  if (factsOf(text, true).some((parts) => parts.includes(''))) return 'a fact with an empty part';
  return undefined;
}

/**
 * Prints a graph in FACTUAL's format.
 * @returns one line with relations, attributes and entities, in this order; empty for an empty graph
 *
 * @example
 * ```ts
 * import { parseFactual, printFactual } from 'relflow/evaluation';
 *
 * console.log(printFactual(parseFactual('(man,ride,horse),(dog)'))); // ( man , ride , horse ) , ( dog )
 * ```
 */
export function printFactual({ relations, attributes, entities }: FactualGraph): string {
  return [
    ...relations.map(({ subject, predicate, object }) => [subject, predicate, object]),
    ...attributes.map(({ entity, attribute }) => [entity, 'is', attribute]),
    ...entities.map((entity) => [entity]),
  ]
    .map((parts) => `( ${parts.map(stripPunctuation).join(' , ')} )`)
    .join(' , ');
}

/**
 * Converts the graph of a text parser to FACTUAL's format. An entity becomes its `name`, or its span in lower case; a
 * predicate becomes its inferred wording or its lemma, an attribute its lemma; the quantity `two` becomes `2`, `group` becomes `group of`. An entity is
 * listed by itself if no relation and no attribute mentions it. Entities with the same name are merged, and duplicate
 * facts are removed.
 *
 * @example
 * ```ts
 * import { ruleParser } from 'relflow';
 * import { printFactual, toFactual } from 'relflow/evaluation';
 *
 * const graph = await ruleParser().parse('Two dogs chase a red ball.');
 * console.log(printFactual(toFactual(graph))); // ( dog , chase , ball ) , ( dog , is , 2 ) , ( ball , is , red )
 * ```
 */
export function toFactual({ entities, relations }: TextGraph): FactualGraph {
  const names = entities.map(({ name, span }) => stripPunctuation(name ?? span.toLowerCase()));
  const mentioned = new Set<string>();
  const facts = {
    relations: relations.map(({ subject, lemma, object, inferred }) => ({
      subject: names[inferred?.swapped ? object : subject]!,
      predicate: stripPunctuation(inferred?.lemma ?? lemma),
      object: names[inferred?.swapped ? subject : object]!,
    })),
    attributes: entities.flatMap(({ attributes, quantity }, k) =>
      [...attributes.map(({ lemma }) => lemma), ...(quantity === undefined ? [] : [quantityText(quantity)])].map(
        (attribute) => ({ entity: names[k]!, attribute: stripPunctuation(attribute) }),
      ),
    ),
  };
  for (const { subject, object } of facts.relations) mentioned.add(subject).add(object);
  for (const { entity } of facts.attributes) mentioned.add(entity);
  return distinct({ ...facts, entities: names.filter((name) => !mentioned.has(name)) });
}

const NUMBERS: ReadonlyMap<string, string> = new Map(
  `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
  nineteen twenty`
    .split(/\s+/)
    .map((word, n) => [word, `${n}`]),
);
/** Quantity words that precede a noun without `of`. */
const DETERMINERS = new Set(
  'several many few some multiple various numerous both dozen thirty forty fifty hundred'.split(' '),
);

/** Returns whether an attribute is a quantity: `2`, `several`, `group of`. */
export const isFactualQuantity = (attribute: string): boolean =>
  /^\d+$| of$/.test(attribute) || NUMBERS.has(attribute) || DETERMINERS.has(attribute);

function quantityText(quantity: string): string {
  const word = stripPunctuation(quantity.toLowerCase());
  const number = NUMBERS.get(word);
  if (number !== undefined) return number;
  return isFactualQuantity(word) || /^\d/.test(word) ? word : `${word} of`;
}

/** Splits a text into the parts of each fact; facts with only empty parts are omitted unless `all` is set. */
function factsOf(text: string, all = false): string[][] {
  const facts = text
    .split(/\)\s*,\s*\(/)
    .map((fact) => withoutOuterBrackets(fact))
    .map((fact) => fact.split(',').map((part) => part.trim().replace(/\s+/g, ' ')));
  return all ? facts : facts.filter((parts) => parts.some((part) => part !== ''));
}

/** Removes brackets and white space at both ends, in linear time. */
function withoutOuterBrackets(fact: string): string {
  const isOuter = (at: number) => /[()\s]/.test(fact[at]!);
  let from = 0;
  let to = fact.length;
  while (from < to && isOuter(from)) from++;
  while (to > from && isOuter(to - 1)) to--;
  return fact.slice(from, to);
}

/** Removes the punctuation of the format, which words cannot contain. */
const stripPunctuation = (text: string) => text.replace(/[(),]/g, ' ').replace(/\s+/g, ' ').trim();

function distinct({ relations, attributes, entities }: FactualGraph): FactualGraph {
  const unique = <T>(facts: readonly T[]) => [...new Map(facts.map((fact) => [JSON.stringify(fact), fact])).values()];
  return { relations: unique(relations), attributes: unique(attributes), entities: unique(entities) };
}
