import { isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import { isOwn } from './attachment.js';
import type { ClausePart } from './clause-parts.js';
import {
  allowsMixedList,
  isAbsolute,
  isSubjectAhead,
  isVerbOf,
  startsClause,
  startsParallel,
} from './clause-starts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import type { ReadingState, ResolvedPredicate } from './reading-state.js';

/** Reads a phrase after "and" or a comma: another object, another subject, or a new clause. */
export function joinPhrase(state: ReadingState, phrase: NounPhrase, parts: readonly ClausePart[], k: number): void {
  const next = parts[k + 1];
  const isAfterComma = parts[k - 1]?.kind === 'comma' || parts[k - 2]?.kind === 'comma';
  const related = outerList(state, phrase, isAfterComma);
  const isAlive = isAnimate(phrase.nounClass);
  // "a man leans on a rail, his legs crossed on a bench", but "a room with a bed, a lamp on it"
  const isPosture = isOwn(phrase) && phrase.nounClass === 'bodyPart' && next?.kind === 'verb' && next.form !== 'finite';
  const mayInterrupt = isOwn(phrase) || !((related && isContainment(related)) || state.inverted);
  if (isPosture || (mayInterrupt && isAbsolute(parts, k, state.hasVerb))) {
    state.aside ??= { related, agent: state.agent };
    state.nearest = [phrase];
    return;
  }
  if (!related) {
    // "its sails are folded, and a man in shorts is sitting"
    if (state.hasVerb && !state.inverted && isSubjectAhead(parts, k)) state.setSubject([phrase]);
    // "a man and a woman", but "a dog running and a cat"
    else if (state.nearest === state.subject && !(state.inverted && state.hasVerb && isVerbOf(phrase, next))) {
      state.subject = state.agent = state.nearest = [...state.subject, phrase];
      if (state.inverted) state.relate([phrase], state.inverted.predicate, state.inverted.object);
    } else if (state.inverted && state.hasVerb && phrase.isDetermined && !isVerbOf(phrase, next)) {
      // "on the desk are a lamp, a keyboard with a mouse on it, and a mug"
      state.relate([phrase], state.inverted.predicate, state.inverted.object);
      state.subject = state.agent = [...state.subject, phrase];
      state.nearest = [phrase];
    } else state.setSubject([phrase]);
  } else if (startsClause(phrase, parts, k, related, state.hasVerb)) state.setSubject([phrase]);
  else if (isAfterComma && isInvertedThing(state, related, phrase)) {
    // "on the desk are a lamp with a red shade, a clock and a cup"
    state.relate([phrase], state.inverted!.predicate, state.inverted!.object);
    state.subject = state.agent = state.nearest = [...state.subject, phrase];
    state.related = undefined;
  } else if (startsParallel(next, related)) joinParallel(state, phrase, related);
  else if (isParallelThing(state, related, next)) {
    // "has a bag attached to its seat and a helmet hanging from the handlebar"
    state.attachObjects([phrase], state.originOf(related.subjects)!);
    state.nearest = [phrase];
  } else if (/^(?:full )?of$/.test(related.preposition) && related.verb === undefined && phrase.isDetermined) {
    // "a bottle of beer and two bananas": the bananas join the bottle, not the beer.
    const outer = state.originOf(related.subjects);
    if (outer) {
      state.attachObjects([phrase], outer);
      state.nearest = [phrase];
      return;
    }
    // "on the desk are jars of honey, a cup, and a plate"
    if (isInvertedList(state, related.subjects))
      state.relate([phrase], state.inverted!.predicate, state.inverted!.object);
    if (related.subjects === state.subject) state.subject = state.agent = [...state.subject, phrase];
    state.nearest = state.subject.includes(phrase) ? state.subject : [phrase];
  } else if (isAlive && !isAnimate(state.nearest[0]!.nounClass) && !allowsMixedList(related)) state.nearest = [phrase];
  else {
    state.nearest = related === state.related ? [...state.nearest, phrase] : [phrase];
    state.attachObjects([phrase], related);
  }
}

/** Returns the predicate that a phrase continues: in "a tray of donuts with sugar and a cup" it is that of the donuts. */
function outerList(
  { related, nearest, originOf }: ReadingState,
  phrase: NounPhrase,
  isAfterComma: boolean,
): ResolvedPredicate | undefined {
  const outer = related && originOf(related.subjects);
  // "a room has a sofa facing a stove, a rug, and a lamp"
  if (isAfterComma && phrase.isDetermined && related?.preposition !== 'of') {
    // "holds a plate of pancakes covered in syrup, a bowl, and a mug"
    const list = outer?.preposition === 'of' ? originOf(outer.subjects) : outer;
    if (list && isContainment(list)) return list;
  }
  if (related?.preposition !== 'with' || related.verb !== undefined) return related;
  const isContent = outer?.preposition === 'of' && phrase.isDetermined && !nearest.at(-1)!.isDetermined;
  return isContent ? outer : related;
}

/** Checks whether phrases are among the subjects that follow their verb. */
const isInvertedList = ({ inverted, subject }: ReadingState, phrases: Group) =>
  inverted !== undefined && phrases.every((one) => subject.includes(one));

/** Checks whether a phrase is another thing at an inverted place, rather than another part of the thing before. */
const isInvertedThing = (state: ReadingState, { preposition, verb, subjects }: ResolvedPredicate, phrase: NounPhrase) =>
  preposition === 'with' &&
  verb === undefined &&
  phrase.isDetermined &&
  state.hasVerb &&
  isInvertedList(state, subjects);

/** Checks whether a phrase with a participle joins a thing with another in a list of what something has. */
function isParallelThing(
  { originOf }: ReadingState,
  related: ResolvedPredicate,
  next: ClausePart | undefined,
): boolean {
  const outer = originOf(related.subjects);
  return (
    outer !== undefined &&
    isContainment(outer) &&
    related.preposition !== '' &&
    related.preposition !== 'of' &&
    next?.kind === 'verb' &&
    next.form !== 'finite'
  );
}

/** Checks for a predicate that usually has a list of objects. */
const isContainment = ({ verb, preposition }: ResolvedPredicate) =>
  verb === undefined ? preposition === 'with' : preposition === '' && containers.has(verb);
const containers = wordSet('contain have include feature show hold');

/** Reads another object with a place of its own, "a bag over her arm and a ring on her finger", or another subject. */
function joinParallel(state: ReadingState, phrase: NounPhrase, { subjects, preposition }: ResolvedPredicate): void {
  const outer = state.originOf(subjects);
  // "on the desk are jars of honey and a tray of pears"
  if (!outer && preposition === 'of' && isInvertedList(state, subjects)) {
    state.relate([phrase], state.inverted!.predicate, state.inverted!.object);
    state.subject = state.agent = [...state.subject, phrase];
    state.nearest = [phrase];
    return;
  }
  // "filled with plates of pasta, glasses of water"
  const isList = outer !== undefined && preposition === 'of';
  if (!isList && (outer?.verb === undefined || outer.preposition !== '')) state.setSubject([phrase]);
  else {
    state.attachObjects([phrase], outer);
    state.nearest = [phrase];
  }
}
