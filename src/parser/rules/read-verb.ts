import { isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import { attachmentAgent, isOwn, relativeSubject } from './attachment.js';
import type { ClausePart, VerbPart } from './clause-parts.js';
import type { Group } from './origin.js';
import type { ReadingState } from './reading-state.js';

/** Reads a verb: it begins a predicate of its subjects. */
export function readVerb(state: ReadingState, part: VerbPart, following: readonly ClausePart[]): void {
  if (part.form === 'finite') state.endInnerClause();
  if (state.isDeniedAside && part.form === 'finite' && state.previousKind === 'comma') {
    state.isClauseDenied = state.isDeniedAside = false;
    state.agent = state.subject;
  }
  state.described = [];
  const subjects = subjectsOf(state, part, following);
  const { isRelative, nearest } = state;
  if (part.form === 'finite' && !state.isRelative) state.hasVerb = true;
  state.isRelative = false;
  state.unstated = part.isDenied ? (part.isPossible ? 'possible' : 'denied') : undefined;
  if (state.relativeObject.length > 0) {
    closeObjectClause(state, part, following);
    return;
  }
  state.agent = subjects;
  state.related = undefined;
  const isFronted = state.previousKind === undefined && part.form !== 'finite';
  state.pending = {
    text: part.text,
    lemma: part.lemma,
    inferred: undefined,
    verb: part.verb,
    preposition: '',
    subjects,
    isFronted,
    isDenied: part.isDenied === true,
    others: part.form === 'finite' && !isRelative ? undefined : otherSubjects(state, nearest),
    isAside: false,
  };
}

/** Returns the group before a verb, those that introduced it, and the clause's subject. */
function otherSubjects(state: ReadingState, nearest: Group): Group[] {
  const found: Group[] = [];
  for (let group = nearest; group.length > 0 && found.length < 4; group = state.originOf(group)?.subjects ?? [])
    found.push(group);
  if (state.subject.length > 0 && !found.includes(state.subject)) found.push(state.subject);
  return found;
}

/** Reads the verb of "the kite that a boy flies", or verb and preposition of "the ladder that a boy stands on". */
function closeObjectClause(state: ReadingState, part: VerbPart, [next, afterNext]: readonly ClausePart[]): void {
  const isOpen = next?.kind === 'preposition' && afterNext?.kind !== 'phrase' && afterNext?.kind !== 'pronoun';
  const ending = isOpen ? ` ${next.text}` : '';
  state.relate(state.agent, { ...part, text: part.text + ending, lemma: part.lemma + ending }, state.relativeObject);
  state.nearest = state.relativeObject;
  state.relativeObject = [];
  state.agent = state.subject;
  state.pending = undefined;
}

/** Returns whose verb it is. */
function subjectsOf(state: ReadingState, part: VerbPart, following: readonly ClausePart[]): Group {
  if (state.pending && /without$|instead of$/.test(state.pending.text)) return [];
  if (state.isRelative && state.nearest.length > 0)
    return relativeSubject(state.nearest, part, state.relative, state.originOf);
  if (
    (part.isInfinitive || (part.text.startsWith(part.verb) && helps.has(state.related?.verb ?? ''))) &&
    state.related?.preposition === '' &&
    state.nearest.some(({ nounClass }) => isAnimate(nounClass))
  )
    return state.nearest;
  // "a cart with no driver is parked" has the cart parked.
  if (state.nothing && state.previousKind === 'pronoun' && (state.nothing === 'subject' || part.form !== 'finite'))
    return [];
  // "has her hair tied back and is feeding a horse"
  // "sits in a cart filled with toys, reaching for"
  const mayEnd = part.form === 'finite' ? state.isJoined() : state.previousKind === 'comma' && part.form === 'gerund';
  if (mayEnd && isAlive(state.subject) && !isAlive(state.agent)) return state.subject;
  if (state.isJoined() || state.previousKind === 'while') return state.agent;
  if (part.form === 'finite' || state.nearest.length === 0) return state.subject;
  // "with her legs crossed reading", "a plane with its nose open being loaded"
  const endsAside = state.previousKind === 'adjective' || (state.pending?.verb !== undefined && part.form === 'gerund');
  if (endsAside && state.isOwnPart()) return state.originOf(state.nearest)!.subjects;
  if (state.pending?.verb !== undefined) return state.agent;
  // "with a puppy following them", "with a book covering her face": what somebody has does it to them.
  const origin = state.originOf(state.nearest);
  if (origin?.preposition === 'with' && origin.verb === undefined && isAboutOwner(following)) return state.nearest;
  return attachmentAgent(state.nearest, part, state.originOf);
}

/** Checks whether the object of a verb is a pronoun, or somebody's own. */
function isAboutOwner([next, afterNext]: readonly ClausePart[]): boolean {
  const object = next?.kind === 'preposition' ? afterNext : next;
  if (object?.kind === 'pronoun') return object.word !== 'each other' && object.word !== 'nothing';
  return object === next && object?.kind === 'phrase' && isOwn(object.phrase) && object.phrase.nounClass === 'bodyPart';
}

const isAlive = ([phrase]: Group) => phrase !== undefined && isAnimate(phrase.nounClass);

/** Verbs after which somebody does something: "helping a boy ride". */
const helps = wordSet('help watch let make see');
