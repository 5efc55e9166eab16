import { isAnimate } from '../language/noun-classes.js';
import type { ClausePart } from './clause-parts.js';
import { allowsMixedList, isVerbOf, startsClause, startsParallel } from './clause-starts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { ReadingState, ResolvedPredicate } from './reading-state.js';

/** Reads a phrase after "and" or a comma: another object, another subject, or a new clause. */
export function joinPhrase(state: ReadingState, phrase: NounPhrase, parts: readonly ClausePart[], k: number): void {
  const next = parts[k + 1];
  const related = outerList(state, phrase);
  const isAlive = isAnimate(phrase.nounClass);
  if (!related) {
    // "a man and a woman", but "a dog running and a cat"
    if (state.nearest === state.subject && !(state.inverted && state.hasVerb && isVerbOf(phrase, next))) {
      state.subject = state.agent = state.nearest = [...state.subject, phrase];
      if (state.inverted) state.relate([phrase], state.inverted.predicate, state.inverted.object);
    } else state.setSubject([phrase]);
  } else if (startsClause(phrase, parts, k, related, state.hasVerb)) state.setSubject([phrase]);
  else if (startsParallel(next, related)) joinParallel(state, phrase, related);
  else if (/^(?:full )?of$/.test(related.preposition) && related.verb === undefined && phrase.isDetermined) {
    // "a bottle of beer and two bananas": the bananas join the bottle, not the beer.
    const outer = state.originOf(related.subjects);
    if (outer) {
      state.attachObjects([phrase], outer);
      state.nearest = [phrase];
      return;
    }
    if (related.subjects === state.subject) state.subject = state.agent = [...state.subject, phrase];
    state.nearest = state.subject.includes(phrase) ? state.subject : [phrase];
  } else if (isAlive && !isAnimate(state.nearest[0]!.nounClass) && !allowsMixedList(related)) state.nearest = [phrase];
  else {
    state.attachObjects([phrase], related);
    state.nearest = [...state.nearest, phrase];
  }
}

/** Returns the predicate that a phrase continues: in "a tray of donuts with sugar and a cup" it is that of the donuts. */
function outerList({ related, nearest, originOf }: ReadingState, phrase: NounPhrase): ResolvedPredicate | undefined {
  if (related?.preposition !== 'with' || related.verb !== undefined) return related;
  const outer = originOf(related.subjects);
  const isContent = outer?.preposition === 'of' && phrase.isDetermined && !nearest.at(-1)!.isDetermined;
  return isContent ? outer : related;
}

/** Reads another object with a place of its own, "a bag over her arm and a ring on her finger", or another subject. */
function joinParallel(state: ReadingState, phrase: NounPhrase, { subjects, preposition }: ResolvedPredicate): void {
  const outer = state.originOf(subjects);
  // "filled with plates of pasta, glasses of water"
  const isList = outer !== undefined && preposition === 'of';
  if (!isList && (outer?.verb === undefined || outer.preposition !== '')) state.setSubject([phrase]);
  else {
    state.attachObjects([phrase], outer);
    state.nearest = [phrase];
  }
}
