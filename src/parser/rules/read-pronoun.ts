import { isAnimate } from '../language/noun-classes.js';
import { attachmentContainer, isLocativeAttachment, isSideBySideAttachment } from './attachment.js';
import type { ClausePart } from './clause-parts.js';
import type { Group } from './origin.js';
import { pronounAgrees } from './pronoun-agrees.js';
import type { PendingPredicate, ReadingState, ResolvedPredicate } from './reading-state.js';
import { resolvedPredicate } from './resolved-predicate.js';

/** Reads a pronoun: what it stands for is an object or the subject of the clause. */
export function readPronoun(state: ReadingState, part: PronounPart): void {
  const { word } = part;
  const { pending } = state;
  state.nothing = word !== 'nothing' ? undefined : pending ? 'object' : 'subject';
  // "a sink and a mirror above it"
  const [beforeLast, last] = state.nearest.slice(-2);
  const listed = word === 'it' && last && state.isBeside() ? [[beforeLast!]] : [];
  if (last && listed.length > 0) state.nearest = [last];
  let subjects = pending ? (pending.subjects ?? placedGroup(state, word)) : [];
  if (word === 'each other') {
    // "looking in different directions from each other" does not relate the directions.
    const relates = pending && (pending.verb !== undefined || isSideBySideAttachment(pending.preposition));
    if (relates && state.isStated(pending)) state.found.relateMutually(subjects, pending);
    state.pending = undefined;
    return;
  }
  const isObjectClause = !pending && state.isRelative && state.previousKind === 'relative';
  let antecedent = antecedentOf(state, part, subjects, listed);
  let isSwitched = false;
  // "a boat has oars lying across it": what lies is not the boat.
  for (const group of antecedent.length === 0 ? (pending?.others ?? []) : []) {
    antecedent = antecedentOf(state, part, group, listed);
    if (antecedent.length === 0) continue;
    subjects = group;
    isSwitched = true;
    break;
  }
  if (isObjectClause && antecedent.length > 0 && state.nearest.length > 0) {
    state.beginObjectClause(antecedent);
    return;
  }
  const related = pending && antecedent.length > 0 ? objectOf(state, pending, subjects, antecedent) : undefined;
  if (related) subjects = related.subjects;
  state.pending = undefined;
  // "has oars lying across it and a coil of rope": a list goes on.
  if (isSwitched) state.related = state.originOf(subjects);
  else state.related = pending?.verb === undefined ? undefined : { ...pending, subjects };
  // A copy, so that "and a fence" after "with boats in it" does not join a subject.
  // "next to her on a stool": what follows is about the subjects.
  state.nearest =
    pending && antecedent.length > 0 && subjects.length > 0 && pending.preposition !== 'with'
      ? [...subjects]
      : [...antecedent];
  if (!pending) {
    if (!state.isRelative) state.subject = state.agent = antecedent;
    // "with one of them holding a ball" only introduces the following verb.
  } else if (pending.isFronted && state.subject.length === 0)
    state.fronted = { predicate: pending, object: antecedent };
  else if (related && (pending.verb !== undefined || pending.preposition !== 'with'))
    state.relateObjects(antecedent, related);
}

type PronounPart = Extract<ClausePart, { kind: 'pronoun' }>;

/** Returns what a pronoun stands for if a predicate has these subjects. */
function antecedentOf(
  state: ReadingState,
  { word, start, end }: PronounPart,
  subjects: Group,
  likely: readonly Group[],
): Group {
  // "pointing a camera at him"
  const isAimed = subjects !== state.agent && /^(?:at|to|towards?)$/.test(state.pending?.preposition ?? '');
  return state.antecedents.of(
    word,
    { start, end },
    {
      subjects: isAimed ? [...subjects, ...state.agent] : subjects,
      // "their necks are stretched as they eat"
      subject: state.pending ? state.subject : state.ownersOf(state.subject),
      likely,
      originOf: state.originOf,
    },
  );
}

/** Returns the predicate of what a pronoun stands for; its subjects are those of a phrase in its place, if they are something else. */
function objectOf(
  state: ReadingState,
  pending: PendingPredicate,
  subjects: Group,
  antecedent: Group,
): ResolvedPredicate | undefined {
  if (pending.subjects === undefined) {
    // "a court with a net between them"
    const origin = state.originOf(state.nearest);
    const isPlaced = origin?.preposition === 'with' && origin.verb === undefined && subjects === state.nearest;
    const related = isPlaced ? undefined : resolvedPredicate(state, pending, antecedent);
    if (related && !related.subjects.some((phrase) => antecedent.includes(phrase))) return related;
  }
  return resolvedPredicate(state, { ...pending, subjects }, antecedent);
}

/** Returns what the pending preposition places before a pronoun: in "a boat on the water next to them" the boat. */
function placedGroup(state: ReadingState, word: string): Group {
  const origin = state.originOf(state.nearest);
  if (
    origin &&
    /^(?:next to|beside|between|near|by|alongside|close to)$/.test(state.pending?.preposition ?? '') &&
    isLocativeAttachment(origin.preposition) &&
    !isAnimate(state.nearest[0]!.nounClass) &&
    !pronounAgrees(word, origin.subjects)
  )
    return origin.subjects;
  return attachmentContainer(state.nearest, state.originOf);
}
