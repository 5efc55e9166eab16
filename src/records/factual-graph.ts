import type { TextGraph } from './text-graph.js';

/**
 * A caption's graph in FACTUAL's textual form, as plain words:
 * `( man , ride , horse ) , ( horse , is , brown ) , ( dog )`.
 *
 * Source: FACTUAL (Li et al., 2023), the form of its data and of its tool.
 */
export interface FactualGraph {
  readonly relations: readonly FactualRelation[];
  /** Quantities are attributes too: `( dog , is , 2 )`. */
  readonly attributes: readonly FactualAttribute[];
  /** Those that are said alone, `( dog )`; the ends of facts are not repeated. */
  readonly entities: readonly string[];
}

/** `( subject , predicate , object )`. */
export interface FactualRelation {
  readonly subject: string;
  readonly predicate: string;
  readonly object: string;
}

/** `( entity , is , attribute )`. */
export interface FactualAttribute {
  readonly entity: string;
  readonly attribute: string;
}

/**
 * Reads the textual form and takes what people write for it: blanks or none around signs, `( dog , brown )` for
 * `( dog , is , brown )`, more than three parts (those in the middle are the predicate), a missing bracket at either
 * end. A fact that is said twice counts once. Nothing throws: without brackets the text is one fact.
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

/** What keeps a text from being a graph in this form, e.g. `a fact without a bracket`; undefined where nothing does. */
export function factualProblem(text: string): string | undefined {
  if (text.trim() === '') return 'no facts';
  if (!/^\s*\([^()]*\)(?:\s*,\s*\([^()]*\))*\s*$/.test(text)) return 'brackets that do not part facts';
  if (factsOf(text, true).some((parts) => parts.includes(''))) return 'a fact with an empty part';
  return undefined;
}

/** @returns one line: relations, attributes, entities; empty for an empty graph */
export function printFactual({ relations, attributes, entities }: FactualGraph): string {
  return [
    ...relations.map(({ subject, predicate, object }) => [subject, predicate, object]),
    ...attributes.map(({ entity, attribute }) => [entity, 'is', attribute]),
    ...entities.map((entity) => [entity]),
  ]
    .map((parts) => `( ${parts.map(plain).join(' , ')} )`)
    .join(' , ');
}

/**
 * A parser's graph in the plain form: entities by their `name`, or their span in lower case; predicates by their lemma;
 * attributes as written; `two` as `2` and `group` as `group of`; an entity alone where nothing is said of it. Entities
 * of one name are one, and what is said twice is said once.
 */
export function toFactual({ entities, relations }: TextGraph): FactualGraph {
  const names = entities.map(({ name, span }) => plain(name ?? span.toLowerCase()));
  const said = new Set<string>();
  const facts = {
    relations: relations.map(({ subject, lemma, object }) => ({
      subject: names[subject]!,
      predicate: plain(lemma),
      object: names[object]!,
    })),
    attributes: entities.flatMap(({ attributes, quantity }, k) =>
      [...attributes.map(({ lemma }) => lemma), ...(quantity === undefined ? [] : [quantityText(quantity)])].map(
        (attribute) => ({ entity: names[k]!, attribute: plain(attribute) }),
      ),
    ),
  };
  for (const { subject, object } of facts.relations) said.add(subject).add(object);
  for (const { entity } of facts.attributes) said.add(entity);
  return distinct({ ...facts, entities: names.filter((name) => !said.has(name)) });
}

const NUMBERS: ReadonlyMap<string, string> = new Map(
  `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
  nineteen twenty`
    .split(/\s+/)
    .map((word, n) => [word, `${n}`]),
);
/** Words for how many that stand before a noun without `of`. */
const DETERMINERS = new Set(
  'several many few some multiple various numerous both dozen thirty forty fifty hundred'.split(' '),
);

/** Whether an attribute says how many: `2`, `several`, `group of`. */
export const isQuantity = (attribute: string): boolean =>
  /^\d+$| of$/.test(attribute) || NUMBERS.has(attribute) || DETERMINERS.has(attribute);

function quantityText(quantity: string): string {
  const word = plain(quantity.toLowerCase());
  const number = NUMBERS.get(word);
  if (number !== undefined) return number;
  return isQuantity(word) || /^\d/.test(word) ? word : `${word} of`;
}

/** The parts of each fact; without `all` those that say nothing are left out. */
function factsOf(text: string, all = false): string[][] {
  const facts = text
    .split(/\)\s*,\s*\(/)
    .map((fact) => fact.trim().replace(/^[()\s]+|[()\s]+$/g, ''))
    .map((fact) => fact.split(',').map((part) => part.trim().replace(/\s+/g, ' ')));
  return all ? facts : facts.filter((parts) => parts.some((part) => part !== ''));
}

/** Signs of the form can't be part of a word in it. */
const plain = (text: string) => text.replace(/[(),]/g, ' ').replace(/\s+/g, ' ').trim();

function distinct({ relations, attributes, entities }: FactualGraph): FactualGraph {
  const once = <T>(facts: readonly T[]) => [...new Map(facts.map((fact) => [JSON.stringify(fact), fact])).values()];
  return { relations: once(relations), attributes: once(attributes), entities: once(entities) };
}
