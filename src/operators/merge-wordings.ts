import { verbLemma } from '../parser/language/lemma.js';
import { startsPreposition } from '../parser/language/prepositions.js';
import { addToList } from '../records/add-to-list.js';
import type { Relation } from '../records/scene-graph.js';
import { type PredicateKind, predicateKind } from '../vocabulary/predicate-kind.js';

/** What a predicate states: its kind, and the lemma of its verb, empty if it has none that says more than the kind. */
interface Statement {
  readonly kind: PredicateKind;
  readonly verb: string;
}

/** First words of predicates that are not verbs, or verbs that say no more than `with`. */
const GENERAL: ReadonlySet<string> = new Set(
  "has have having with of 's be being located left right top next close front back positioned situated".split(' '),
);

const statementOf = (predicate: string): Statement => {
  const [first = ''] = predicate.toLowerCase().split(' ');
  return {
    kind: predicateKind(predicate),
    verb: startsPreposition(first) || GENERAL.has(first) ? '' : verbLemma(first),
  };
};

/** Whether two predicates are wordings of one fact: `sitting on` of `sits on` and `on`, but not of `standing on`. */
const isSame = (a: Statement, b: Statement) =>
  a.kind === b.kind && (a.verb === b.verb || a.verb === '' || b.verb === '');

/**
 * Merges the wordings of one fact about one pair into the most specific one, which keeps the others in `wordings`: one with a
 * verb before one without, then the one that more captions say, the one with the higher confidence, and the first. The merged
 * relation has the highest confidence and all captions. The order stays that of the first wording.
 */
export function mergeWordings(relations: readonly Relation[]): Relation[] {
  const byPair = new Map<string, Relation[]>();
  for (const relation of relations) {
    const key = `${relation.subject} ${relation.object}`;
    addToList(byPair, key, relation);
  }
  return [...byPair.values()].flatMap((same) => (same.length === 1 ? same : mergePair(same)));
}

function mergePair(relations: readonly Relation[]): Relation[] {
  const said = relations.map((relation, place) => ({ relation, place, statement: statementOf(relation.predicate) }));
  const confidence = ({ relation }: (typeof said)[number]) => relation.confidence ?? 0;
  said.sort(
    (a, b) =>
      Number(b.statement.verb !== '') - Number(a.statement.verb !== '') ||
      (b.relation.captions?.length ?? 0) - (a.relation.captions?.length ?? 0) ||
      confidence(b) - confidence(a) ||
      a.place - b.place,
  );
  const facts: { first: number; wordings: (typeof said)[number][] }[] = [];
  for (const one of said) {
    const fact = facts.find(({ wordings }) => isSame(wordings[0]!.statement, one.statement));
    if (fact) {
      fact.wordings.push(one);
      fact.first = Math.min(fact.first, one.place);
    } else facts.push({ first: one.place, wordings: [one] });
  }
  return facts
    .sort((a, b) => a.first - b.first)
    .map(({ wordings }) => merged(wordings.map(({ relation }) => relation)));
}

function merged([specific, ...others]: readonly Relation[]): Relation {
  if (others.length === 0) return specific!;
  const all = [specific!, ...others];
  const { source: _, ...relation } = specific!;
  // What a caption says too needs no other source.
  const source = all.some((one) => one.source === undefined) ? undefined : specific!.source;
  return {
    ...relation,
    confidence: Math.max(...all.map((one) => one.confidence ?? 0)),
    captions: [...new Set(all.flatMap(({ captions = [] }) => captions))].sort((a, b) => a - b),
    ...(source !== undefined && { source }),
    wordings: others.map(({ predicate, confidence = 0, captions = [] }) => ({ predicate, confidence, captions })),
  };
}
