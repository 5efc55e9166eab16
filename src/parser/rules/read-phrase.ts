import { possessives } from '../language/closed-classes.js';
import { isAbstract, isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { ClausePart } from './clause-parts.js';
import { isApposition, isBackdrop } from './clause-starts.js';
import { joinPhrase } from './join-phrase.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import { pronounAgrees } from './pronoun-agrees.js';
import type { PendingPredicate, ReadingState } from './reading-state.js';
import { resolvedPredicate } from './resolved-predicate.js';

/** Reads a noun phrase: an object of what precedes, a subject, or another name of the phrase before. */
export function readPhrase(state: ReadingState, phrase: NounPhrase, sentence: readonly ClausePart[], k: number): void {
  const isApposed = !state.pending && state.isJoined() && isApposition(sentence, k);
  const before = sentence[k - 2];
  const named =
    isApposed && before?.kind === 'phrase' && isAnimate(before.phrase.nounClass) ? before.phrase : undefined;
  addPhrase(state, phrase, named && isAnimate(phrase.nounClass) ? named : undefined);
  state.described = [];
  const group = [phrase];
  if (state.previousKind === 'be' && state.isDenied && state.subject.length === 0) {
    // "there isn't any milk in the glass"
    state.nothing = 'subject';
    state.nearest = [];
    return;
  }
  const { pending } = state;
  if (pending) {
    const isNearest = pending.subjects === undefined && isWithPlace(state, pending, sentence, k);
    completePending(
      state,
      isNearest ? { ...pending, subjects: state.nearest } : pending,
      group,
      isBackdrop(sentence, k),
    );
  } else if (isGapped(state)) {
    state.attachObjects(group, { ...state.handled!.predicate, subjects: state.subject });
    state.nearest = group;
  } else if (isSecondObject(state, phrase)) {
    // "feeding a horse a carrot"
    state.attachObjects(group, state.related!);
    state.nearest = group;
  } else if (state.isRelative && state.previousKind === 'relative' && state.nearest.length > 0)
    state.beginObjectClause(group);
  else if (phrase.determiner?.text === 'whose' && state.nearest.length > 0) beginOwnersClause(state, phrase);
  else if (isApposed) state.nearest = group;
  else if (state.isJoined() && state.nearest.length > 0 && state.subject.length > 0)
    joinPhrase(state, phrase, sentence, k);
  else if (state.previousKind === 'be' && state.subject.length > 0 && !state.fronted) state.nearest = group;
  else {
    // "there is a man": the verb comes first.
    const hasVerb = state.previousKind === 'be' || state.fronted?.predicate.verb !== undefined;
    state.setSubject(group);
    state.hasVerb = hasVerb;
  }
}

/** Adds a phrase to the graph, its owner first. @param named what it names in other words */
function addPhrase(state: ReadingState, phrase: NounPhrase, named?: NounPhrase): void {
  if (phrase.owner) addPhrase(state, phrase.owner);
  state.found.add(phrase);
  findOwner(state, phrase);
  state.antecedents.add(phrase, named);
  if (phrase.owner) state.relate([phrase.owner], { text: "'s", lemma: "'s", inferred: { lemma: 'have' } }, [phrase]);
}

/** Finds whose a phrase with a possessive pronoun is: in "a man with a bat in his hand" the man's. */
function findOwner(state: ReadingState, phrase: NounPhrase): void {
  const { determiner, entity, nounClass } = phrase;
  if (!determiner || !possessives.has(determiner.text)) return;
  const owners = state.antecedents.of(
    determiner.text,
    determiner,
    {
      subjects: [],
      subject: [],
      likely: [state.pending?.subjects ?? [], state.agent, state.subject, state.nearest],
      originOf: state.originOf,
    },
    true,
  );
  const isThere = !state.pending || (state.isStated(state.pending) && !/without$/.test(state.pending.text));
  if (owners.length > 0 && isThere && nounClass !== 'time' && !isAbstract(entity.lemma))
    state.possessions.set(phrase, { owners, word: determiner.text });
}

/** Begins a clause about what something has: "a lake whose banks are green". */
function beginOwnersClause(state: ReadingState, phrase: NounPhrase): void {
  state.possessions.set(phrase, { owners: state.nearest.slice(-1), word: 'whose' });
  const outer = state.subject;
  state.setSubject([phrase]);
  state.outer = outer;
}

/** Checks whether a phrase is the object of a verb that is not said again: "one holds a balloon, the other a flag". */
const isGapped = ({ previousKind, handled, subject, nearest, related }: ReadingState): boolean =>
  previousKind === 'pronoun' &&
  handled !== undefined &&
  related === undefined &&
  nearest.length > 0 &&
  nearest[0] === subject[0];

/** Checks whether a phrase is the second object of the last verb. */
function isSecondObject(state: ReadingState, phrase: NounPhrase): boolean {
  if (state.previousKind !== 'phrase' && state.previousKind !== 'pronoun') return false;
  return (
    phrase.isDetermined && state.related?.preposition === '' && transfers.has(state.related.verb ?? '') && !phrase.owner
  );
}

/** Checks for what is in or on the phrase before: "pushes a cart with two toddlers in it". */
function isWithPlace(
  { nearest }: ReadingState,
  { preposition }: PendingPredicate,
  parts: readonly ClausePart[],
  k: number,
) {
  const [place, pronoun] = [parts[k + 1], parts[k + 2]];
  if (preposition !== 'with' || place?.kind !== 'preposition' || pronoun?.kind !== 'pronoun') return false;
  return pronoun.word === 'it' && pronounAgrees('it', nearest);
}

/** Gives the pending predicate its object. */
function completePending(state: ReadingState, pending: PendingPredicate, object: Group, isFarAway: boolean): void {
  state.pending = undefined;
  const related = resolvedPredicate(state, pending, object, isFarAway);
  if (related) {
    state.attachObjects(object, related);
    if (pending.verb !== undefined && pending.preposition === '') {
      state.antecedents.prefer(object);
      state.handled = { predicate: related, objects: object };
    }
    state.nearest = object;
  } else if (state.subject.length === 0 && state.fronted && pending.verb !== undefined && !pending.isFronted) {
    state.setSubject(object);
    state.hasVerb = true;
  } else {
    if (pending.isFronted) state.fronted = { predicate: pending, object };
    state.nearest = object;
  }
}

/** Verbs with two objects: "feeding a horse a carrot". */
const transfers = wordSet('give feed hand pass offer show throw serve bring');
