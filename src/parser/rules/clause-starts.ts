import { isAnimate } from '../language/noun-classes.js';
import { isLocativeAttachment, isOwn, isSideBySideAttachment } from './attachment.js';
import type { ClausePart } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Origin } from './origin.js';
import { isNowhere } from './phrase-graph.js';

/** A predicate with an object, which a phrase after "and" may join. */
interface JoinedPredicate {
  readonly preposition: string;
  readonly verb?: string | undefined;
}

/**
 * Checks whether a phrase after "and" or a comma starts a clause: "a man holds a bat and a boy throws". In "a box filled with nails
 * and screws stands" it does not, since the box has no verb yet.
 * @param k index of the phrase
 * @param hasVerb whether the subject of the clause has its finite verb
 */
export function startsClause(
  phrase: NounPhrase,
  parts: readonly ClausePart[],
  k: number,
  { preposition, verb }: JoinedPredicate,
  hasVerb: boolean,
): boolean {
  const next = parts[k + 1];
  // "a seal caught in a net, and a diver with a knife is", but "a desk with books, pens, and a lamp is"
  const isSecond = parts[k - 2]?.kind === 'comma' && !/^(?:and|comma)$/.test(parts[k - 4]?.kind ?? '');
  if ((hasVerb || (isSecond && phrase.isDetermined && !phrase.isPlural)) && isSubjectAhead(parts, k)) return true;
  if (next?.kind !== 'be' && next?.kind !== 'verb') return false;
  if (hasTense(next) && next.isSingular === phrase.isPlural && phrase.isPlural) return false;
  if (isAnimate(phrase.nounClass)) return true;
  const isList = preposition === 'of' || preposition.endsWith('with') || preposition === 'by' || !hasVerb;
  return hasTense(next) && !(isList && (verb === undefined || !hasVerb));
}

/**
 * Checks whether a phrase is the subject of a finite verb further on: "a vase with flowers stands", "a boy and a girl are", "her
 * sister, who wears a crown, claps".
 */
export function isSubjectAhead(parts: readonly ClausePart[], k: number): boolean {
  const isAfterComma = parts[k - 1]?.kind === 'while' || parts[k - 2]?.kind === 'comma';
  let phrase = phraseOf(parts[k]);
  for (let count = 1, next = k; phrase; count++) {
    next = afterPlaces(parts, next);
    const verb = parts[next];
    if (count === 1) {
      if (isVerbOf(phrase, verb) && (phrase.isDetermined || isAfterComma || next > k + 1)) return true;
      const inserted = verb?.kind === 'comma' ? parts[next + 1] : undefined;
      if (inserted?.kind === 'relative' || (inserted?.kind === 'verb' && inserted.form !== 'finite')) {
        const end = afterComma(parts, next + 2);
        return end !== undefined && isVerbOf(phrase, parts[end]);
      }
    } else if (hasTense(verb)) return verb.isSingular === false && (isAfterComma || (count === 2 && !phrase.isPlural));
    while (parts[next]?.kind === 'comma' || parts[next]?.kind === 'and') next++;
    if (count === MOST_SUBJECTS || !/^(?:and|comma)$/.test(parts[next - 1]?.kind ?? '')) return false;
    phrase = phraseOf(parts[next]);
  }
  return false;
}

/** Subjects in a list, at most. */
const MOST_SUBJECTS = 4;

const phraseOf = (part: ClausePart | undefined) => (part?.kind === 'phrase' ? part.phrase : undefined);

/** Returns the index after a phrase and what prepositions and participles add to it. */
function afterPlaces(parts: readonly ClausePart[], phrase: number): number {
  let next = phrase + 1;
  for (;;) {
    const part = parts[next];
    const isObject = /^(?:phrase|pronoun)$/.test(parts[next + 1]?.kind ?? '');
    // "a curtain patterned with shells hangs"
    if (part?.kind === 'verb' && part.form !== 'finite') next += isObject ? 2 : 1;
    else if (part?.kind === 'preposition' && isObject) next += 2;
    else return next;
  }
}

/** Returns the index after the next comma of a sentence. */
function afterComma(parts: readonly ClausePart[], from: number): number | undefined {
  for (let k = from; k < Math.min(parts.length, from + MOST_PARTS); k++) if (parts[k]!.kind === 'comma') return k + 1;
  return undefined;
}

/** Parts of a clause between commas, at most. */
const MOST_PARTS = 10;

/** Checks whether a verb is finite and agrees in number with a phrase, as its subject has to. */
export const isVerbOf = ({ isPlural, isCollected, entity }: NounPhrase, next: ClausePart | undefined): boolean =>
  hasTense(next) &&
  (next.isSingular === undefined || isCollected || next.isSingular !== (isPlural && entity.quantity !== 'one'));

const hasTense = (part: ClausePart | undefined): part is Extract<ClausePart, { readonly isSingular?: boolean }> =>
  part?.kind === 'be' || (part?.kind === 'verb' && part.form === 'finite');

/** Checks for a parallel construction: "a cat on a chair and a dog on …", "a pizza with toppings, a bowl with …". */
export const startsParallel = (next: ClausePart | undefined, { subjects, preposition, verb }: Origin): boolean =>
  // "a rug lies under one window and a crate under the other"
  (verb !== undefined &&
    next?.kind === 'preposition' &&
    next.text === preposition &&
    isLocativeAttachment(preposition)) ||
  (verb === undefined &&
    (next?.kind === 'verb'
      ? next.form === 'gerund' &&
        restVerbs.has(next.verb) &&
        !isAnimate(subjects[0]!.nounClass) &&
        isLocativeAttachment(preposition)
      : isParallel(next, preposition)));

const isParallel = (next: ClausePart | undefined, preposition: string) =>
  next?.kind === 'preposition' &&
  (isLocativeAttachment(preposition) ||
    preposition === next.text ||
    preposition === 'over' ||
    preposition === 'around');

/** Checks whether animate and inanimate objects usually share a list after a predicate: "with a dog and a ball". */
export const allowsMixedList = ({ preposition, verb }: JoinedPredicate): boolean =>
  verb === undefined && (preposition === 'with' || preposition === 'of' || isSideBySideAttachment(preposition));

/** Checks whether the subject follows its predicate from a preposition on: "and below them is a table". */
export function isInverted(parts: readonly ClausePart[], k: number): boolean {
  let end = k + 1;
  if (parts[end]?.kind !== 'phrase' && parts[end]?.kind !== 'pronoun') return false;
  if (parts[end + 1]?.kind === 'comma') end++;
  const verb = parts[end + 1];
  // "and to the left of it, a lamp hangs", "and after it a farmer walks"
  if ((end > k + 1 || parts[end]!.kind === 'pronoun') && verb?.kind === 'phrase')
    return isVerbOf(verb.phrase, parts[afterPlaces(parts, end + 1)]);
  return (
    (verb?.kind === 'be' || (verb?.kind === 'verb' && verb.form === 'finite' && restVerbs.has(verb.verb))) &&
    parts[end + 2]?.kind === 'phrase'
  );
}

const restVerbs: ReadonlySet<string> = new Set(['stand', 'sit', 'lie', 'hang', 'rest', 'lean', 'run', 'flow']);

/** Checks whether a phrase between commas says what the phrase before is: "the vendor, a man in a hat, hands …". */
export function isApposition(parts: readonly ClausePart[], k: number): boolean {
  const [before, phrase] = [parts[k - 2], parts[k]];
  if (before?.kind !== 'phrase' || parts[k - 1]?.kind !== 'comma' || phrase?.kind !== 'phrase') return false;
  if (phrase.phrase.isPlural || before.phrase.isPlural || !phrase.phrase.isDetermined) return false;
  for (let next = k + 1; next < parts.length; next++) {
    const { kind } = parts[next]!;
    if (kind === 'and' || kind === 'while' || kind === 'be') return false;
    const after = parts[next + 1];
    if (kind === 'comma') return after?.kind === 'be' || (after?.kind === 'verb' && after.form === 'finite');
  }
  return false;
}

/**
 * Checks whether a phrase after a comma has a predicate without tense, so that it joins nothing: "a boy reads, his hands in his pockets",
 * "a woman sits on a bench, a dog at her feet".
 * @param hasVerb whether the subject of the clause has its finite verb
 */
export function isAbsolute(parts: readonly ClausePart[], k: number, hasVerb: boolean): boolean {
  const phrase = phraseOf(parts[k]);
  if (!phrase || parts[k - 1]?.kind !== 'comma') return false;
  let next = k + 1;
  if (parts[next]?.kind === 'adjective') next++;
  const part = parts[next];
  const isParticiple = part?.kind === 'verb' && part.form !== 'finite';
  if (isOwn(phrase)) return isParticiple || (part?.kind === 'preposition' && !/^(?:of|with)$/.test(part.text));
  // "bottles stand on a sill, sunlight shining through them"
  if (isParticiple && hasVerb && !isAnimate(phrase.nounClass)) return true;
  const place = parts[isParticiple ? next + 1 : next];
  const object = parts[isParticiple ? next + 2 : next + 1];
  if (place?.kind !== 'preposition') return false;
  // "a sculptor, chisel in hand, works"
  if (!phrase.isDetermined)
    return object?.kind === 'phrase' && object.phrase.nounClass === 'bodyPart' && !object.phrase.isDetermined;
  return object?.kind === 'pronoun' || (object?.kind === 'phrase' && isOwn(object.phrase));
}

/** Checks whether a list of phrases, from one on, is only in the background: "trees and a barn in the distance". */
export function isBackdrop(parts: readonly ClausePart[], k: number): boolean {
  let end = k + 1;
  while (end < k + 8 && /^(?:and|comma|phrase)$/.test(parts[end]?.kind ?? '')) end++;
  const [preposition, place] = [parts[end], parts[end + 1]];
  return preposition?.kind === 'preposition' && place?.kind === 'phrase' && isNowhere(place.phrase);
}
