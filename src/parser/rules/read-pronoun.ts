import { isAnimate } from '../language/noun-classes.js';
import { attachmentContainer, isLocativeAttachment, isSideBySideAttachment } from './attachment.js';
import type { PronounPart } from './clause-parts.js';
import type { Group } from './origin.js';
import { pronounAgrees } from './pronoun-agrees.js';
import type { PendingPredicate, ReadingState, ResolvedPredicate } from './reading-state.js';
import { resolvedPredicate } from './resolved-predicate.js';
import { isSight } from './verb-arguments.js';

/** Reads a pronoun: what it stands for is an object or the subject of the clause. */
export function readPronoun(state: ReadingState, part: PronounPart): void {
  const { pending } = state;
  state.nothing = part.word !== 'nothing' ? undefined : pending ? 'object' : 'subject';
  if (pending) readObject(state, part, pending);
  else readSubject(state, part);
}

function readSubject(state: ReadingState, part: PronounPart): void {
  const antecedent = antecedentOf(state, part, [], []);
  if (state.isRelative && state.previousKind === 'relative' && antecedent.length > 0 && state.nearest.length > 0) {
    state.beginObjectClause(antecedent);
    return;
  }
  state.related = undefined;
  // A copy, so that "and a fence" does not join a subject.
  state.nearest = [...antecedent];
  if (!state.isRelative) state.subject = state.agent = antecedent;
  state.member = part.word === 'one' ? antecedent : undefined;
}

function readObject(state: ReadingState, part: PronounPart, pending: PendingPredicate): void {
  const { word } = part;
  // "a sink and a mirror above it"
  const [beforeLast, last] = state.nearest.slice(-2);
  const listed = word === 'it' && last && state.isBeside() ? [[beforeLast!]] : [];
  if (last && listed.length > 0) state.nearest = [last];
  let subjects = pending.subjects ?? placedGroup(state, word);
  if (word === 'each other') {
    // "looking in different directions from each other" does not relate the directions.
    const relates = pending.verb !== undefined || isSideBySideAttachment(pending.preposition);
    if (relates && state.isStated(pending)) state.found.relateMutually(subjects, pending);
    state.pending = undefined;
    return;
  }
  const handled = word === 'one' ? undefined : handledBefore(state, pending, subjects);
  let antecedent = antecedentOf(state, part, subjects, handled ? [handled] : listed);
  let isSwitched = false;
  // "a boat has oars lying across it": what lies is not the boat.
  for (const group of antecedent.length === 0 && pending.preposition !== '' ? (pending.others ?? []) : []) {
    antecedent = antecedentOf(state, part, group, listed);
    if (antecedent.length === 0) continue;
    subjects = group;
    isSwitched = true;
    break;
  }
  const related = antecedent.length > 0 ? objectOf(state, pending, subjects, antecedent) : undefined;
  if (related) subjects = related.subjects;
  state.pending = undefined;
  if (related && isNewOrigin(state, related, antecedent)) {
    // "washes a cup and puts it on a shelf": the same thing is the object of another verb.
    state.attachObjects(antecedent, related);
    state.handled = { predicate: related, objects: antecedent };
    state.nearest = [...antecedent];
    return;
  }
  // "has oars lying across it and a coil of rope": a list goes on.
  if (isSwitched) state.related = state.originOf(subjects);
  else state.related = pending.verb === undefined ? undefined : { ...pending, subjects, otherSubjects: undefined };
  // A copy, so that "and a fence" after "with boats in it" does not join a subject.
  // "next to her on a stool": what follows is about the subjects.
  const isAbout = antecedent.length > 0 && subjects.length > 0 && pending.preposition !== 'with';
  state.nearest = isAbout ? [...subjects] : [...antecedent];
  if (pending.isFronted && state.subject.length === 0) state.fronted = { predicate: pending, object: antecedent };
  // "with one of them holding a ball" only introduces the following verb.
  else if (related && (pending.verb !== undefined || pending.preposition !== 'with'))
    state.relateObjects(antecedent, related);
}

/** Returns what a pronoun stands for if a predicate has these subjects. */
function antecedentOf(
  state: ReadingState,
  { word, start, end }: PronounPart,
  subjects: Group,
  likely: readonly Group[],
): Group {
  // "pointing a camera at him"
  const preposition = state.pending?.preposition ?? '';
  const isAimed = subjects !== state.agent && /^(?:at|to|towards?)$/.test(preposition);
  // "a dog sleeps on the rug in front of it": what is there is in front of something else.
  const origin = state.pending?.subjects ? undefined : state.originOf(subjects);
  const isThere = origin !== undefined && isLocativeAttachment(origin.preposition);
  // "two beds, each with a pillow on it"
  const owner = word === 'it' && state.member ? state.originOf(subjects) : undefined;
  const isMember = owner?.subjects === state.member && /^(?:with)?$/.test(owner?.preposition ?? '-');
  return state.antecedents.of(
    isMember ? 'one' : word,
    { start, end },
    {
      subjects: isAimed ? [...subjects, ...state.agent] : isThere ? [...subjects, ...origin.subjects] : subjects,
      // "their necks are stretched as they eat"
      subject: isAnimate(state.subject[0]?.nounClass ?? 'thing')
        ? [state.subject]
        : [state.ownersOf(state.subject), state.subject],
      isObject: state.pending !== undefined,
      isBeside: state.isBeside(),
      isContainer: /^(?:on|in|inside|into|onto|from|of)$/.test(preposition),
      likely,
      originOf: state.originOf,
    },
  );
}

/** Checks for a thing that a verb has as direct object, which is not what introduced the subject. */
function isNewOrigin(
  { originOf }: ReadingState,
  { verb, preposition, subjects }: ResolvedPredicate,
  [thing]: Group,
): boolean {
  if (verb === undefined || isSight(verb) || preposition !== '' || !thing || isAnimate(thing.nounClass)) return false;
  for (let group = subjects; group.length > 0; group = originOf(group)?.subjects ?? [])
    if (group.includes(thing)) return false;
  return true;
}

/** Returns the object of the verb before if a pronoun is the object of another verb of its subject: "washes a cup in a sink and dries it". */
function handledBefore({ handled }: ReadingState, pending: PendingPredicate, [subject]: Group): Group | undefined {
  if (!handled || pending.verb === undefined || pending.preposition !== '') return undefined;
  return handled.predicate.subjects[0] === subject ? handled.objects : undefined;
}

/** Returns the predicate of what a pronoun stands for; its subjects are those of a phrase in its place, if they are something else. */
function objectOf(
  state: ReadingState,
  pending: PendingPredicate,
  subjects: Group,
  antecedent: Group,
): ResolvedPredicate | undefined {
  if (pending.subjects === undefined) {
    const origin = state.originOf(state.nearest);
    const isPlaced = subjects === state.nearest && isFixed(origin);
    const related = isPlaced ? undefined : resolvedPredicate(state, pending, antecedent);
    if (related && !related.subjects.some((phrase) => antecedent.includes(phrase))) return related;
  }
  return resolvedPredicate(state, { ...pending, subjects }, antecedent);
}

/** Checks whether a place is that of the last phrase alone: "a court with a net between them", "walks along the wall above her". */
const isFixed = (origin: ResolvedPredicate | undefined) =>
  origin !== undefined &&
  (origin.preposition === 'with'
    ? origin.verb === undefined
    : /^(?:along|through|across|down|up|into|onto|towards?|past)$/.test(origin.preposition));

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
