import { isAnimate } from '../language/noun-classes.js';
import type { ClausePart } from './clause-parts.js';
import { allowsMixedList, startsClause, startsParallel } from './clause-starts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { ReadingState, ResolvedPredicate } from './reading-state.js';

/** Reads a phrase after "and" or a comma: another object, another subject, or a new clause. */
export function joinPhrase(state: ReadingState, phrase: NounPhrase, next: ClausePart | undefined): void {
  const { related } = state;
  const isAlive = isAnimate(phrase.nounClass);
  if (!related) {
    // "a man and a woman", but "a dog running and a cat"
    if (state.nearest === state.subject) {
      state.subject = state.agent = state.nearest = [...state.subject, phrase];
      if (state.inverted) state.relate([phrase], state.inverted.predicate, state.inverted.object);
    } else state.setSubject([phrase]);
  } else if (startsClause(phrase, next, related, state.hasVerb)) state.setSubject([phrase]);
  else if (startsParallel(next, related)) joinParallel(state, phrase, related);
  else if (related.preposition === 'of' && related.verb === undefined && phrase.isDetermined) {
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

/** Reads another object with a place of its own, "a bag over her arm and a ring on her finger", or another subject. */
function joinParallel(state: ReadingState, phrase: NounPhrase, { subjects }: ResolvedPredicate): void {
  const outer = state.originOf(subjects);
  if (outer?.verb === undefined || outer.preposition !== '') state.setSubject([phrase]);
  else {
    state.attachObjects([phrase], outer);
    state.nearest = [phrase];
  }
}
