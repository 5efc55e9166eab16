import { isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import { isOwn, isSideBySideAttachment } from './attachment.js';
import type { ClausePart } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import { pronounAgrees } from './pronoun-agrees.js';
import type { PendingPredicate, ReadingState } from './reading-state.js';

/**
 * Returns who has the object of "with" if what follows says so; undefined if not: "pushes a cart with two toddlers in it" is about the
 * cart, "a fox crosses a road with a hare in its jaws" and "presses soil with her fingers" about who does it.
 * @param k index of the object
 */
export function holderOf(
  state: ReadingState,
  { preposition, subjects }: PendingPredicate,
  parts: readonly ClausePart[],
  k: number,
): Group | undefined {
  if (preposition !== 'with' || subjects !== undefined) return undefined;
  const first = parts[k];
  if (
    first?.kind === 'phrase' &&
    (isOwn(first.phrase) || (isHand(first.phrase) && parts[k + 1]?.kind !== 'preposition'))
  )
    return ownerIn(state, first.phrase.determiner?.text ?? '');
  let place = k + 1;
  while (/^(?:and|comma)$/.test(parts[place]?.kind ?? '') && parts[place + 1]?.kind === 'phrase') place += 2;
  const object = parts[place + 1];
  if (parts[place]?.kind !== 'preposition') return undefined;
  if (object?.kind === 'pronoun' && object.word === 'it') return containerIn(state);
  if (object?.kind !== 'phrase' || !isOwn(object.phrase)) return undefined;
  const { nounClass, determiner } = object.phrase;
  return nounClass === 'bodyPart' || nounClass === 'garment' ? ownerIn(state, determiner!.text) : undefined;
}

/** Checks for the hands of somebody who does something: "with both hands", "with her fingers". */
const isHand = (phrase: NounPhrase): boolean =>
  /^(?:hand|finger|foot|paw|teeth|tooth|trunk|beak)$/.test(phrase.entity.lemma) &&
  (isOwn(phrase) || phrase.determiner?.text === 'both' || phrase.entity.quantity === 'one');

/** Returns the last person or animal that a possessive pronoun agrees with, of those that introduced each other. */
function ownerIn({ nearest, originOf }: ReadingState, possessive: string): Group | undefined {
  for (let group = nearest; group.length > 0; group = originOf(group)?.subjects ?? [])
    if (
      isAnimate(group[0]!.nounClass) &&
      (possessive === 'both' || possessive === '' || pronounAgrees(possessive, group))
    )
      return group;
  // "yachts stand on a carpet with their keels in frames"
  for (let group = nearest; group.length > 0; group = originOf(group)?.subjects ?? [])
    if (pronounAgrees(possessive, group)) return group;
  return undefined;
}

/** What things are next to, and seldom on or in. */
const upright = wordSet('window door wall fence curtain mirror tree');

/** Returns what something is on or in: in "a desk by a window with a lamp on it" the desk. */
function containerIn({ nearest, originOf }: ReadingState): Group | undefined {
  for (let group: Group = nearest.slice(-1); group.length > 0; ) {
    const origin = originOf(group);
    const isBeside = origin && isSideBySideAttachment(origin.preposition) && upright.has(group[0]!.entity.lemma);
    if (pronounAgrees('it', group) && !isBeside) return group;
    group = origin?.subjects ?? [];
  }
  return undefined;
}
