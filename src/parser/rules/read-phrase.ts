import { isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { ClausePart } from './clause-parts.js';
import { isApposition, isBackdrop } from './clause-starts.js';
import { findOwner } from './find-owner.js';
import { holderOf } from './holder-of.js';
import { joinPhrase } from './join-phrase.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
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
    completePending(state, pending, group, isBackdrop(sentence, k), holderOf(state, pending, sentence, k));
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
    phrase.isDetermined &&
    phrase.determiner?.text !== 'whose' &&
    state.related?.preposition === '' &&
    transfers.has(state.related.verb ?? '') &&
    !phrase.owner
  );
}

/** Gives the pending predicate its object. */
function completePending(
  state: ReadingState,
  pending: PendingPredicate,
  object: Group,
  isFarAway: boolean,
  holder?: Group,
): void {
  state.pending = undefined;
  const related = resolvedPredicate(state, pending, object, isFarAway, holder);
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
