import { wordSet } from '../language/word-set.js';
import type { Group } from './origin.js';
import type { ReadingState } from './reading-state.js';
import { goals, paths } from './verb-arguments.js';

/** Reads a preposition, with its lemma if that differs: it belongs to the verb before it, or begins a predicate. */
export function readPreposition(state: ReadingState, text: string, lemma = text): void {
  const { pending } = state;
  if (pending && (pending.verb !== undefined || !particles.has(pending.text))) {
    const preposition = pending.preposition ? `${pending.preposition} ${text}` : text;
    state.pending = { ...pending, text: `${pending.text} ${text}`, lemma: `${pending.lemma} ${lemma}`, preposition };
    return;
  }
  const { related } = state;
  // "hands one to a boy", "leads it along a fence"
  if (
    state.previousKind === 'pronoun' &&
    related?.verb !== undefined &&
    related.preposition === '' &&
    isDirection(text)
  ) {
    state.pending = {
      ...related,
      text: `${related.text} ${text}`,
      lemma: `${related.lemma} ${lemma}`,
      preposition: text,
    };
    return;
  }
  const subjects = pending ? pending.subjects : fixedSubjects(state, text);
  const isFronted = state.previousKind === undefined || (state.isJoined() && state.subject.length === 0);
  const isDenied = (state.previousKind === 'be' || state.previousKind === 'adjective') && state.isDenied;
  state.pending = {
    text,
    lemma,
    inferred: undefined,
    verb: undefined,
    preposition: text,
    subjects,
    isFronted,
    isDenied,
    others: undefined,
    isAside: state.previousKind === 'comma',
  };
}

/** Returns the subjects of a preposition without a verb when its object does not matter, else undefined. */
function fixedSubjects(state: ReadingState, text: string): Group | undefined {
  if (state.previousKind === 'be') return state.clauseSubject();
  if (state.previousKind === 'adjective' && state.described.length > 0) return state.described;
  // "a car with its doors open on a lawn"
  if (state.previousKind === 'adjective' && state.isOwnPart()) return state.originOf(state.nearest)!.subjects;
  // ", with pans hanging above him"
  if (text === 'with' && state.previousKind === 'comma' && state.subject.length > 0) return state.subject;
  if (state.isJoined()) return state.related?.subjects ?? state.subject;
  if (state.previousKind === 'while') return state.subject;
  return state.nearest.length > 0 ? undefined : [];
}

/** Checks for where somebody moves something. */
const isDirection = (preposition: string) => goals.has(preposition) || paths.has(preposition);

/** Dropped before another preposition: "his head down next to a book" has `next to`. After a verb they stay: `looking down at`. */
const particles = wordSet('up down out over around off along by on');
