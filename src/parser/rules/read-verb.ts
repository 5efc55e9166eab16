import { isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import { attachmentAgent, type Group } from './attachment.js';
import type { ClausePart, VerbPart } from './clause-parts.js';
import type { ReadingState } from './reading-state.js';

/** Reads a verb: it begins a predicate of its subjects. */
export function readVerb(state: ReadingState, part: VerbPart, following: readonly ClausePart[]): void {
  if (part.form === 'finite') state.endInnerClause();
  if (state.isDeniedAside && part.form === 'finite' && state.previousKind === 'comma') {
    state.isClauseDenied = state.isDeniedAside = false;
    state.agent = state.subject;
  }
  state.described = [];
  const subjects = subjectsOf(state, part);
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
    verb: part.verb,
    preposition: '',
    subjects,
    isFronted,
    isDenied: part.isDenied === true,
  };
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
function subjectsOf(state: ReadingState, part: VerbPart): Group {
  if (state.pending && /without$|instead of$/.test(state.pending.text)) return [];
  if (state.isRelative && state.nearest.length > 0)
    return isOfThing(state.nearest, part) ? state.nearest : attachmentAgent(state.nearest, part, state.originOf);
  if (
    part.isInfinitive &&
    state.related?.preposition === '' &&
    state.nearest.some(({ nounClass }) => isAnimate(nounClass))
  )
    return state.nearest;
  // "a cart with no driver is parked" has the cart parked.
  if (state.nothing && state.previousKind === 'pronoun' && (state.nothing === 'subject' || part.form !== 'finite'))
    return [];
  // "has her hair tied back and is feeding a horse"
  if (state.isJoined() && part.form === 'finite' && isAlive(state.subject) && !isAlive(state.agent))
    return state.subject;
  if (state.isJoined() || state.previousKind === 'while') return state.agent;
  if (part.form === 'finite' || state.nearest.length === 0) return state.subject;
  if (state.pending?.verb !== undefined) return state.agent;
  return attachmentAgent(state.nearest, part, state.originOf);
}

const isAlive = ([phrase]: Group) => phrase !== undefined && isAnimate(phrase.nounClass);

/** Checks whether the verb of a relative clause is that of the thing before it: "a plank that lies across", "a shirt that says". */
const isOfThing = (nearest: Group, { verb, form, isSingular }: VerbPart) =>
  thingVerbs.has(verb) ||
  (form === 'finite' && restVerbs.has(verb) && nearest.length === 1 && isSingular !== nearest[0]!.isPlural);
const restVerbs = wordSet('have lie lean rest hang stick protrude rise tower hover float');

/** What things do: "a path that leads to a lake", "a shirt that says hello". */
const thingVerbs = wordSet('lead read say show contain feature depict display reach extend stretch');
