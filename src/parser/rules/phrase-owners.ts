import { wordSet } from '../language/word-set.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import type { PhraseGraph } from './phrase-graph.js';

/**
 * Returns whose phrases are: those with a possessive pronoun, and what is at these. Of "a bottle in his hand" the bottle is that of who
 * has the hand.
 */
export function phraseOwners(
  possessions: ReadonlyMap<NounPhrase, { readonly owners: Group }>,
  found: PhraseGraph,
): ReadonlyMap<NounPhrase, Group> {
  const owners = new Map<NounPhrase, Group>();
  for (const [phrase, possession] of possessions) owners.set(phrase, possession.owners);
  for (const { subject, predicate, object } of found.graph().relations) {
    if (!places.has(predicate)) continue;
    const [phrase, place] = [found.phraseOf(subject), found.phraseOf(object)];
    const possession = possessions.get(place);
    if (possession && !owners.has(phrase) && !possession.owners.includes(phrase)) owners.set(phrase, possession.owners);
  }
  return owners;
}

const places = wordSet('in on around over at under between against to across');
