import type { Entity, TextGraph, TextRelation } from '../../records/text-graph.js';
import { isAbstract } from '../language/noun-classes.js';
import type { Reading } from '../rules/phrase-graph.js';
import type { RulesReading } from '../rules/rule-parser.js';
import type { SubjectSupport } from '../subjects/subject-scorer.js';
import { isImpression } from './denied-parts.js';
import type { Evidence } from './evidence-features.js';

/** Options of `joinGraphs`. */
export interface JoinOptions {
  /**
   * Whether the caption is short, as those that the network learned from: two phrases that it relates then have its relation alone,
   * and the rules only add relations of phrases for which it has none.
   */
  readonly isPhrase: boolean;
  /** Whether it is a description of several sentences. */
  readonly isParagraph: boolean;
  /** Tells whether the words between two offsets say that something is not so. */
  readonly isDenied: (start: number, end: number) => boolean;
  /** Tells whether a clause about a thing begins between two offsets: "whose", "on which". */
  readonly hasInnerClause: (start: number, end: number) => boolean;
  /** Returns the confidence of a relation, in [0, 1]. */
  readonly confidenceOf: (evidence: Evidence) => number;
}

/**
 * Joins the graphs of the network and of the rules: the network's phrases, with the relations of both. Phrases are the same if they
 * end with the same word.
 */
export function joinGraphs(
  network: TextGraph,
  { graph: rules, readings, others, supportOf }: RulesReading,
  options: JoinOptions,
): TextGraph {
  const { isPhrase, isParagraph, isDenied, hasInnerClause, confidenceOf } = options;
  const entities: Entity[] = [...network.entities];
  const byEnd = new Map(entities.map(({ end }, index) => [end, index]));
  const indexOf = (entity: Entity): number => {
    let index = byEnd.get(entity.end);
    if (index === undefined) {
      index = entities.findIndex(({ start, end }) => start < entity.end && entity.end < end);
      if (index < 0) index = entities.push(entity) - 1;
      else if (!isPhrase && !isInRules(entities[index]!.end)) entities[index] = withoutVerb(entities[index]!, entity);
      byEnd.set(entity.end, index);
    }
    return index;
  };
  const isInRules = (end: number) => rules.entities.some((one) => one.end === end);
  const supportOfPhrases = (subject: Entity, object: Entity) => {
    const from = rules.entities.findIndex(({ end }) => end === subject.end);
    const to = rules.entities.findIndex(({ end }) => end === object.end);
    return from < 0 || to < 0 ? undefined : supportOf(from, to);
  };
  const containers = new Set<number>();
  const rulesOf = new Map<number, ReadRelation[]>();
  for (const [k, relation] of rules.relations.entries()) {
    const ends = [rules.entities[relation.subject]!, rules.entities[relation.object]!] as const;
    if (isPhrase && !ends.every((entity) => byEnd.has(entity.end))) continue;
    const joined = placed(relation, indexOf(ends[0]), indexOf(ends[1]), {
      reading: readings[k]!,
      support: supportOf(relation.subject, relation.object, readings[k]),
      isAiry: isAiryRelation(relation, ends),
    });
    if (relation.predicate === 'of') containers.add(joined.subject);
    const same = rulesOf.get(pairOf(joined));
    if (same) same.push(joined);
    else rulesOf.set(pairOf(joined), [joined]);
  }
  // In "a girl whose bag lies on a chair" the network may take the girl for the subject.
  const isMisread = (relation: TextRelation): boolean => {
    const { subject, predicate, object } = relation;
    const [from, to] = [entities[subject]!, entities[object]!];
    const [start, end] = [Math.min(from.start, to.start), Math.max(from.end, to.end)];
    // "never holds the cup next to her"
    if (rulesOf.has(pairOf(relation))) return isDenied(start, end) || hasInnerClause(start, end);
    if (!hasInnerClause(0, end)) return false;
    return [...rulesOf.values()].some((found) =>
      found.some(
        (one) =>
          one.object === object &&
          one.subject !== subject &&
          ` ${predicate}`.endsWith(` ${one.predicate}`) &&
          hasInnerClause(Math.min(from.start, entities[one.subject]!.start), to.start),
      ),
    );
  };
  const networkRelations = network.relations.filter(
    (relation) => rulesOf.get(pairOf(relation))?.some((one) => isSameRelation(relation, one)) || !isMisread(relation),
  );
  const networkOf = new Map(networkRelations.map((relation) => [pairOf(relation), relation]));
  const networkEnds = new Map<number, number>();
  for (const relation of networkRelations)
    networkEnds.set(laterEnd(relation), Math.max(relation.confidence!, networkEnds.get(laterEnd(relation)) ?? 0));
  const networkPhrases = new Set<number>();
  if (isPhrase) for (const { subject, object } of networkRelations) networkPhrases.add(subject).add(object);
  // For the network, a "tray of" glasses is their quantity.
  const isNew = (index: number) =>
    index >= network.entities.length && !containers.has(index) && !isBeforeVerb(entities[index]!.end);
  // The network takes the verb for a phrase: "pale smoke billows".
  const isBeforeVerb = (end: number) => network.entities.some((one) => one.start === end + 1 && !isInRules(one.end));
  const isOther = (index: number) => {
    const { start, end } = entities[index]!;
    return index >= network.entities.length && network.entities.some((one) => one.start < end && start < one.end);
  };
  const relations: TextRelation[] = [];
  for (const [pair, found] of rulesOf) {
    const read = networkOf.get(pair);
    if (isPhrase && !read && found.some((one) => networkPhrases.has(one.object) || one.predicate === 'of')) continue;
    for (const relation of found) {
      const isSame = read !== undefined && isSameRelation(read, relation);
      if (isPhrase && read && !isSame && found.some((other) => isSameRelation(read, other))) continue;
      // "a hill that has snow on it": the network reads one of two relations.
      const isCompatible = read !== undefined && found.some((one) => isSameRelation(read, one) || isAlike(read, one));
      const { predicate } = isSame || (isPhrase && read) ? read : relation;
      const confidence = confidenceOf({
        network: read?.confidence ?? 0,
        rules: isSame ? 'same' : isCompatible ? 'alike' : 'other',
        reading: relation.reading,
        support: relation.support,
        isAbstract: relation.isAiry,
        between: 0,
        contest: read === undefined ? (networkEnds.get(laterEnd(relation)) ?? 0) : 0,
        isNewPhrase: isNew(relation.subject) || isNew(relation.object),
        isOtherPhrase: isOther(relation.subject) || isOther(relation.object),
        isPhrase,
        isParagraph,
        predicate,
      });
      if (relation.isAiry && !isPhrase && confidence < LIKELY) continue;
      relations.push(isSame || (isPhrase && read) ? { ...read, confidence } : annotated(relation, confidence));
      if (isPhrase && read) break;
    }
  }
  const seen = new Set<number>();
  if (!isPhrase)
    for (const { relation, reading } of others()) {
      const ends = [rules.entities[relation.subject]!, rules.entities[relation.object]!] as const;
      const [subject, object] = [indexOf(ends[0]), indexOf(ends[1])];
      const pair = pairOf({ subject, object });
      if (subject === object || rulesOf.has(pair) || seen.has(pair)) continue;
      const read = networkOf.get(pair);
      if (read && lastWord(read.predicate) !== lastWord(relation.predicate)) continue;
      seen.add(pair);
      const other = placed(relation, subject, object, {
        reading,
        support: supportOf(relation.subject, relation.object, reading),
        isAiry: isAiryRelation(relation, ends),
      });
      const confidence = confidenceOf({
        network: read?.confidence ?? 0,
        rules: 'other',
        reading,
        support: other.support,
        isAbstract: other.isAiry,
        contest: read === undefined ? (networkEnds.get(laterEnd(other)) ?? 0) : 0,
        between: 0,
        isNewPhrase: isNew(subject) || isNew(object),
        isOtherPhrase: isOther(subject) || isOther(object),
        isPhrase,
        isParagraph,
        predicate: relation.predicate,
      });
      if (confidence >= LIKELY) relations.push(read ? { ...read, confidence } : annotated(other, confidence));
    }
  let ranks: readonly number[] | undefined;
  for (const relation of networkRelations) {
    if (rulesOf.has(pairOf(relation)) || seen.has(pairOf(relation))) continue;
    const ends = [entities[relation.subject]!, entities[relation.object]!] as const;
    // "One is holding the door": one thing does nothing to itself.
    if (!isPhrase && ends[0] === ends[1] && isSingle(ends[0])) continue;
    if (isDenied(Math.min(ends[0].start, ends[1].start), Math.max(ends[0].end, ends[1].end))) continue;
    const isAiry = ends.some(({ lemma }) => isAbstract(lemma));
    ranks ??= rankOf(entities);
    const confidence = confidenceOf({
      network: relation.confidence!,
      rules: 'none',
      reading: undefined,
      support: supportOfPhrases(ends[0], ends[1]),
      isAbstract: isAiry,
      contest: 0,
      between: Math.abs(ranks[relation.subject]! - ranks[relation.object]!) - 1,
      isNewPhrase: false,
      isOtherPhrase: false,
      isPhrase,
      isParagraph,
      predicate: relation.predicate,
    });
    if (isAiry && !isPhrase && confidence < LIKELY) continue;
    relations.push({ ...relation, confidence });
  }
  relations.sort((a, b) => orderOf(entities, a) - orderOf(entities, b));
  return { entities, relations };
}

/** What the rules know of a relation. */
interface RulesEvidence {
  readonly reading: Reading;
  readonly support: SubjectSupport | undefined;
  readonly isAiry: boolean;
}

/** A relation of the rules with the indices of the joined graph. */
interface ReadRelation extends TextRelation, RulesEvidence {}

/** Checks whether a relation, or one of its phrases, is seldom about something that one sees. */
const isAiryRelation = ({ lemma }: TextRelation, phrases: readonly Entity[]) =>
  isImpression(lemma) || phrases.some((phrase) => isAbstract(phrase.lemma));

/** Returns a relation with other indices, built at once: an object that grows is slow. */
function placed(
  { predicate, lemma, inferred }: TextRelation,
  subject: number,
  object: number,
  { reading, support, isAiry }: RulesEvidence,
): ReadRelation {
  return inferred
    ? { subject, object, predicate, lemma, inferred, reading, support, isAiry }
    : { subject, object, predicate, lemma, reading, support, isAiry };
}

/** Checks for one thing, as far as its noun says it: "door", but "two doors" and "doors". */
const isSingle = ({ span, lemma, quantity }: Entity) =>
  quantity === undefined && ` ${span.toLowerCase()}`.endsWith(` ${lemma}`);

/** Other subjects than those that the rules prefer, and what is seldom seen, are left out if they are less likely than not. */
const LIKELY = 0.5;

/** Returns a phrase of the network without the verb at its end, where the rules end theirs: "smoke billows". */
const withoutVerb = (entity: Entity, read: Entity): Entity => ({
  ...read,
  attributes: entity.attributes.length > read.attributes.length ? entity.attributes : read.attributes,
});

const lastWord = (predicate: string) => predicate.slice(predicate.lastIndexOf(' ') + 1);

const isSameRelation = (a: TextRelation, b: TextRelation) => a.subject === b.subject && a.predicate === b.predicate;

/** Checks whether the predicates of two relations share a word: `holding` and `holding up`. */
function isAlike(a: TextRelation, b: TextRelation): boolean {
  const words = b.predicate.split(' ');
  return a.subject === b.subject && a.predicate.split(' ').some((word) => words.includes(word));
}

/** Returns a graph without the entities that `isKept` refuses, and without their relations. */
export function withEntities(
  { entities, relations }: TextGraph,
  isKept: (entity: Entity, index: number) => boolean,
): TextGraph {
  const kept: number[] = [];
  for (const [index, entity] of entities.entries()) if (isKept(entity, index)) kept.push(index);
  if (kept.length === entities.length) return { entities, relations };
  const indices = new Map(kept.map((index, at) => [index, at]));
  return {
    entities: kept.map((index) => entities[index]!),
    relations: relations.flatMap((relation) => {
      const [subject, object] = [indices.get(relation.subject), indices.get(relation.object)];
      return subject === undefined || object === undefined ? [] : [{ ...relation, subject, object }];
    }),
  };
}

/** Returns a relation of the rules with its confidence and the wording of FACTUAL's annotators. */
function annotated(
  { subject, object, predicate, lemma, inferred = annotatorsWording(predicate, lemma) }: TextRelation,
  confidence: number,
): TextRelation {
  return inferred
    ? { subject, object, predicate, lemma, inferred, confidence }
    : { subject, object, predicate, lemma, confidence };
}

/** Returns how FACTUAL's annotators word a predicate; undefined if as its lemma. */
function annotatorsWording(predicate: string, lemma: string): TextRelation['inferred'] {
  if (predicate === 'of') return { lemma: 'have', swapped: true };
  const passive = /^(\S+) (?:by|with|in)$/.exec(lemma);
  if (
    passive &&
    (/^\S*(?:ed|worn|held|drawn|driven|ridden|eaten|thrown|taken) by$/.test(predicate) ||
      /^(?:cover|surround) /.test(lemma))
  )
    return { lemma: passive[1]!, swapped: true };
  return undefined;
}

/** More than the phrases of a caption. */
const maxPhrases = 4096;

/** A number for the two phrases of a relation, whichever is the subject. */
const pairOf = ({ subject, object }: Pick<TextRelation, 'subject' | 'object'>) =>
  subject < object ? subject * maxPhrases + object : object * maxPhrases + subject;

/** The phrase of a relation that comes later: most relations attach it to one before it. */
const laterEnd = ({ subject, object }: TextRelation) => Math.max(subject, object);

/** Returns each phrase's place in reading order. */
function rankOf(entities: readonly Entity[]): readonly number[] {
  const order = [...entities.keys()].sort((a, b) => entities[a]!.end - entities[b]!.end);
  const ranks: number[] = [];
  for (const [rank, index] of order.entries()) ranks[index] = rank;
  return ranks;
}

/** Reading order: by the end of the later phrase. */
const orderOf = (entities: readonly Entity[], { subject, object }: TextRelation) =>
  Math.max(entities[subject]!.end, entities[object]!.end) * maxPhrases +
  Math.min(entities[subject]!.end, entities[object]!.end);
