import {
  type FactualAttribute,
  type FactualGraph,
  type FactualRelation,
  isFactualQuantity,
} from '../../records/factual-graph.js';

/** The kinds of error in a predicted graph, each with its meaning. */
export const PARSER_ERRORS = {
  'entity-boundary': 'an entity has too many or too few words',
  'entity-missing': 'an entity of the gold graph is missing',
  'entity-spurious': 'the gold graph lacks an entity',
  'relation-missing': 'two predicted entities lack their relation',
  'relation-spurious': 'two gold entities have a relation that the gold graph lacks',
  'relation-label': 'the entities are right, the predicate is wrong',
  'direction-reversed': 'subject and object are swapped',
  'relation-attachment': 'the predicate is right, one end is a wrong entity',
  'attribute-missing': 'an attribute of the gold graph is missing',
  'attribute-spurious': 'the gold graph lacks an attribute',
  'attribute-attachment': 'an attribute belongs to another entity',
  quantity: 'a number or collective is missing, spurious or belongs to another entity',
} as const;

/** The name of a kind of error in a predicted graph. */
export type ParserError = keyof typeof PARSER_ERRORS;

/**
 * Returns the kinds of error that make a predicted graph differ from the gold graph. Consequences of an error do not count: a
 * relation whose subject or object is missing is not reported as missing, nor is an attribute that is part of an entity's name.
 *
 * @param predicted graph with lemmatized words, like `gold`
 */
export function parserErrors(predicted: FactualGraph, gold: FactualGraph): ReadonlySet<ParserError> {
  const errors = new Set<ParserError>();
  const ends = matchEntities(predicted, gold);
  if (ends.goldNameOf.size > 0) errors.add('entity-boundary');
  if (ends.missing.size > 0) errors.add('entity-missing');
  if (ends.spurious.size > 0) errors.add('entity-spurious');
  for (const error of relationErrors(predicted, gold, ends)) errors.add(error);
  for (const error of attributeErrors(predicted, gold, ends)) errors.add(error);
  return errors;
}

/** The matching between the entities of two graphs, without those with equal names. */
interface EntityMatch {
  /** Predicted name → gold name, for names that share a word. */
  readonly goldNameOf: ReadonlyMap<string, string>;
  /** Gold entities without a match. */
  readonly missing: ReadonlySet<string>;
  /** Predicted entities without a match. */
  readonly spurious: ReadonlySet<string>;
}

function matchEntities(predicted: FactualGraph, gold: FactualGraph): EntityMatch {
  const goldNames = namesOf(gold);
  const names = namesOf(predicted);
  const missing = new Set([...goldNames].filter((name) => !names.has(name)));
  const spurious = new Set([...names].filter((name) => !goldNames.has(name)));
  const shared = [...spurious].flatMap((name) =>
    [...missing].map((other) => ({ name, other, by: sharedWordCount(name, other) })),
  );
  const goldNameOf = new Map<string, string>();
  for (const { name, other, by } of shared.sort((a, b) => b.by - a.by)) {
    if (by === 0 || !missing.has(other) || !spurious.has(name)) continue;
    goldNameOf.set(name, other);
    missing.delete(other);
    spurious.delete(name);
  }
  return { goldNameOf, missing, spurious };
}

const namesOf = ({ relations, attributes, entities }: FactualGraph): ReadonlySet<string> =>
  new Set([
    ...relations.flatMap(({ subject, object }) => [subject, object]),
    ...attributes.map(({ entity }) => entity),
    ...entities,
  ]);

/** Returns the number of words that two names share. */
function sharedWordCount(a: string, b: string): number {
  const words = new Set(a.split(' '));
  return b.split(' ').filter((word) => words.has(word)).length;
}

function relationErrors(predicted: FactualGraph, gold: FactualGraph, ends: EntityMatch): ParserError[] {
  const { goldNameOf, missing, spurious } = ends;
  const nameOf = (entity: string) => goldNameOf.get(entity) ?? entity;
  const renamed = predicted.relations.map((fact) => ({
    ...fact,
    subject: nameOf(fact.subject),
    object: nameOf(fact.object),
  }));
  const hasEnds = (without: ReadonlySet<string>) => (fact: FactualRelation) =>
    !without.has(fact.subject) && !without.has(fact.object);
  const rest = {
    predicted: renamed.filter(hasEnds(spurious)),
    gold: gold.relations.filter(hasEnds(missing)),
  };
  removeMatches(rest, (p, g) => p.subject === g.subject && p.predicate === g.predicate && p.object === g.object);
  const label = removeMatches(rest, (p, g) => p.subject === g.subject && p.object === g.object);
  const reversed = removeMatches(rest, (p, g) => p.subject === g.object && p.object === g.subject);
  const attached = removeMatches(
    rest,
    (p, g) => p.predicate === g.predicate && (p.subject === g.subject || p.object === g.object),
  );
  return nonZero({
    'relation-label': label,
    'direction-reversed': reversed,
    'relation-attachment': attached,
    'relation-missing': rest.gold.length,
    'relation-spurious': rest.predicted.length,
  });
}

function attributeErrors(predicted: FactualGraph, gold: FactualGraph, ends: EntityMatch): ParserError[] {
  const { goldNameOf, missing, spurious } = ends;
  const nameOf = (entity: string) => goldNameOf.get(entity) ?? entity;
  const predictedNameOf = new Map([...goldNameOf].map(([name, other]) => [other, name]));
  const isWithin = (attribute: string, name: string | undefined) =>
    name !== undefined && sharedWordCount(name, attribute) === attribute.split(' ').length;
  const rest = {
    predicted: predicted.attributes
      .filter(({ entity }) => !spurious.has(entity))
      .map(({ entity, attribute }) => ({
        entity: nameOf(entity),
        attribute,
        isQuantity: isFactualQuantity(attribute),
      })),
    gold: gold.attributes
      .filter(({ entity }) => !missing.has(entity))
      .map((fact) => ({ ...fact, isQuantity: isFactualQuantity(fact.attribute) })),
  };
  removeMatches(rest, (p, g) => p.entity === g.entity && p.attribute === g.attribute);
  rest.gold = rest.gold.filter(({ entity, attribute }) => !isWithin(attribute, predictedNameOf.get(entity)));
  rest.predicted = rest.predicted.filter(
    ({ entity, attribute }) => !(predictedNameOf.has(entity) && isWithin(attribute, entity)),
  );
  const quantities = [...rest.gold, ...rest.predicted].filter((fact) => fact.isQuantity).length;
  rest.gold = rest.gold.filter((fact) => !fact.isQuantity);
  rest.predicted = rest.predicted.filter((fact) => !fact.isQuantity);
  const attached = removeMatches(rest, (p: FactualAttribute, g) => p.attribute === g.attribute);
  return nonZero({
    quantity: quantities,
    'attribute-attachment': attached,
    'attribute-missing': rest.gold.length,
    'attribute-spurious': rest.predicted.length,
  });
}

/** Removes facts that match, one predicted with one gold fact, and returns the number of matches. */
function removeMatches<T>(rest: { predicted: T[]; gold: T[] }, matches: (predicted: T, gold: T) => boolean): number {
  const before = rest.gold.length;
  rest.predicted = rest.predicted.filter((fact) => {
    const k = rest.gold.findIndex((other) => matches(fact, other));
    if (k >= 0) rest.gold.splice(k, 1);
    return k < 0;
  });
  return before - rest.gold.length;
}

const nonZero = (counts: Partial<Record<ParserError, number>>): ParserError[] =>
  (Object.keys(counts) as ParserError[]).filter((error) => counts[error]! > 0);
