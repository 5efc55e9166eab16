import { isAnimate } from '../language/noun-classes.js';
import { attachmentContainer, isLocativeAttachment, isSideBySideAttachment } from './attachment.js';
import type { ClausePart } from './clause-parts.js';
import type { Group } from './origin.js';
import { pronounAgrees } from './pronoun-agrees.js';
import type { ReadingState } from './reading-state.js';

/** Reads a pronoun: what it stands for is an object or the subject of the clause. */
export function readPronoun(state: ReadingState, { word, start, end }: Extract<ClausePart, { kind: 'pronoun' }>): void {
  state.nothing = word !== 'nothing' ? undefined : state.pending ? 'object' : 'subject';
  // "a sink and a mirror above it"
  const [beforeLast, last] = state.nearest.slice(-2);
  const listed = word === 'it' && last && state.isBeside() ? [[beforeLast!]] : [];
  if (last && listed.length > 0) state.nearest = [last];
  const subjects = state.pending ? (state.pending.subjects ?? placedGroup(state, word)) : [];
  if (word === 'each other') {
    const { pending } = state;
    // "looking in different directions from each other" does not relate the directions.
    const relates = pending && (pending.verb !== undefined || isSideBySideAttachment(pending.preposition));
    if (relates && state.isStated(pending)) state.found.relateMutually(subjects, pending);
    state.pending = undefined;
    return;
  }
  const isObjectClause = !state.pending && state.isRelative && state.previousKind === 'relative';
  // "pointing a camera at him"
  const isAimed = subjects !== state.agent && /^(?:at|to|towards?)$/.test(state.pending?.preposition ?? '');
  const antecedent = state.antecedents.of(
    word,
    { start, end },
    {
      subjects: isAimed ? [...subjects, ...state.agent] : subjects,
      // "their necks are stretched as they eat"
      subject: state.pending ? state.subject : state.ownersOf(state.subject),
      likely: listed,
      originOf: state.originOf,
    },
  );
  if (isObjectClause && antecedent.length > 0 && state.nearest.length > 0) {
    state.beginObjectClause(antecedent);
    return;
  }
  const { pending } = state;
  state.pending = undefined;
  state.related = pending?.verb === undefined ? undefined : { ...pending, subjects };
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
  else if (pending.verb !== undefined || pending.preposition !== 'with') state.relate(subjects, pending, antecedent);
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
