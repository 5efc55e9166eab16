import { possessives } from '../language/closed-classes.js';
import { isAbstract, isAnimate, sceneryPictures } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import { attachmentSite, isLocativeAttachment } from './attachment.js';
import type { ClausePart, Predicate } from './clause-parts.js';
import { isApposition, isBackdrop } from './clause-starts.js';
import { joinPhrase } from './join-phrase.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import type { OtherSubjects } from './phrase-graph.js';
import type { PendingPredicate, ReadingState, ResolvedPredicate } from './reading-state.js';
import { isIdiom, isOfVerb } from './verb-arguments.js';

/** Reads a noun phrase: an object of what precedes, a subject, or another name of the phrase before. */
export function readPhrase(state: ReadingState, phrase: NounPhrase, sentence: readonly ClausePart[], k: number): void {
  const isApposed = !state.pending && state.isJoined() && isApposition(sentence, k);
  const before = sentence[k - 2];
  const named =
    isApposed && before?.kind === 'phrase' && isAnimate(before.phrase.nounClass) ? before.phrase : undefined;
  addPhrase(state, phrase, named && isAnimate(phrase.nounClass) ? named : undefined);
  state.described = [];
  const group = [phrase];
  if (state.previousKind === 'be' && state.isDenied && state.subject.length === 0) {
    // "there isn't any milk in the glass"
    state.nothing = 'subject';
    state.nearest = [];
    return;
  }
  if (state.pending) completePending(state, state.pending, group, isBackdrop(sentence, k));
  else if (isSecondObject(state, phrase)) {
    // "feeding a horse a carrot"
    state.attachObjects(group, state.related!);
    state.nearest = group;
  } else if (state.isRelative && state.previousKind === 'relative' && state.nearest.length > 0)
    state.beginObjectClause(group);
  else if (phrase.determiner?.text === 'whose' && state.nearest.length > 0) beginOwnersClause(state, phrase);
  else if (isApposed) state.nearest = group;
  else if (state.isJoined() && state.nearest.length > 0 && state.subject.length > 0)
    joinPhrase(state, phrase, sentence, k);
  else if (state.previousKind === 'be' && state.subject.length > 0 && !state.fronted) state.nearest = group;
  else {
    // "there is a man": the verb comes first.
    const hasVerb = state.previousKind === 'be' || state.fronted?.predicate.verb !== undefined;
    state.setSubject(group);
    state.hasVerb = hasVerb;
  }
}

/** Adds a phrase to the graph, its owner first. @param named what it names in other words */
function addPhrase(state: ReadingState, phrase: NounPhrase, named?: NounPhrase): void {
  if (phrase.owner) addPhrase(state, phrase.owner);
  state.found.add(phrase);
  findOwner(state, phrase);
  state.antecedents.add(phrase, named);
  if (phrase.owner) state.relate([phrase.owner], { text: "'s", lemma: "'s", inferred: { lemma: 'have' } }, [phrase]);
}

/** Finds whose a phrase with a possessive pronoun is: in "a man with a bat in his hand" the man's. */
function findOwner(state: ReadingState, phrase: NounPhrase): void {
  const { determiner, entity, nounClass } = phrase;
  if (!determiner || !possessives.has(determiner.text)) return;
  const owners = state.antecedents.of(
    determiner.text,
    determiner,
    {
      subjects: [],
      subject: [],
      likely: [state.pending?.subjects ?? [], state.agent, state.subject, state.nearest],
      originOf: state.originOf,
    },
    true,
  );
  const isThere = !state.pending || (state.isStated(state.pending) && !/without$/.test(state.pending.text));
  if (owners.length > 0 && isThere && nounClass !== 'time' && !isAbstract(entity.lemma))
    state.possessions.set(phrase, { owners, word: determiner.text });
}

/** Begins a clause about what something has: "a lake whose banks are green". */
function beginOwnersClause(state: ReadingState, phrase: NounPhrase): void {
  state.possessions.set(phrase, { owners: state.nearest.slice(-1), word: 'whose' });
  const outer = state.subject;
  state.setSubject([phrase]);
  state.outer = outer;
}

/** Checks whether a phrase is the second object of the last verb. */
function isSecondObject(state: ReadingState, phrase: NounPhrase): boolean {
  if (state.previousKind !== 'phrase' && state.previousKind !== 'pronoun') return false;
  return (
    phrase.isDetermined && state.related?.preposition === '' && transfers.has(state.related.verb ?? '') && !phrase.owner
  );
}

/** Gives the pending predicate its object. */
function completePending(state: ReadingState, pending: PendingPredicate, object: Group, isFarAway: boolean): void {
  state.pending = undefined;
  const subjects = pending.subjects ?? attachmentSite(state.nearest, pending.preposition, object[0]!, state.originOf);
  if (subjects.length > 0) {
    // "a sign with trees in the background" has no trees.
    const isElsewhere = isFarAway && pending.preposition === 'with' && subjects[0]!.nounClass !== 'place';
    // "walking at sunset"
    const isWhen = object[0]!.nounClass === 'time' && times.test(pending.preposition);
    const isDenied =
      pending.isDenied || isElsewhere || isWhen || (pending.verb === undefined && isUnstated(state, pending, subjects));
    const origin = pending.subjects ? undefined : state.originOf(state.nearest);
    if (origin && isPictureTaken(state.nearest, origin, pending))
      state.relate(origin.subjects, withVerb(origin, `${state.nearest[0]!.entity.head} of`), object);
    const isOfAgent =
      origin !== undefined &&
      subjects === origin.subjects &&
      isOfVerb(origin, pending.preposition, state.nearest[0]!, object[0]!);
    const predicate = isOfAgent ? { ...pending, ...ofVerb(origin, pending, state.nearest[0]!) } : pending;
    const otherSubjects = pending.preposition === 'of' ? undefined : otherSubjectsOf(state, pending, subjects);
    state.attachObjects(object, { ...predicate, isDenied, subjects, otherSubjects });
    if (pending.verb !== undefined && pending.preposition === '') state.antecedents.prefer(object);
    state.nearest = object;
  } else if (state.subject.length === 0 && state.fronted && pending.verb !== undefined && !pending.isFronted) {
    state.setSubject(object);
    state.hasVerb = true;
  } else {
    if (pending.isFronted) state.fronted = { predicate: pending, object };
    state.nearest = object;
  }
}

/** The groups that introduced each other, from the nearest one on, at most. */
const CHAIN = 4;

/** Returns a function that finds which other subjects a predicate may have; undefined if there are none. */
function otherSubjectsOf(
  { nearest, originOf }: ReadingState,
  pending: PendingPredicate,
  preferred: Group,
): (() => OtherSubjects[]) | undefined {
  const hasOthers = pending.subjects
    ? pending.others?.some((group) => group !== preferred)
    : nearest !== preferred || originOf(nearest) !== undefined;
  if (!hasOthers) return undefined;
  return () => {
    const found: OtherSubjects[] = [];
    const { clause = 'plain' } = pending;
    let choice: 'nearer' | 'higher' = 'nearer';
    if (pending.subjects === undefined) {
      let group = nearest;
      let predicate: Predicate = pending;
      for (let k = 0; k < CHAIN; k++) {
        if (group === preferred) choice = 'higher';
        else
          found.push({
            subjects: group,
            predicate,
            kind: { choice, clause, verb: predicate === pending ? 'none' : 'around' },
          });
        const origin = originOf(group);
        if (!origin) break;
        predicate = origin.verb === undefined || origin.isDenied ? pending : withVerb(origin, pending.text);
        group = origin.subjects;
      }
    } else
      for (const group of pending.others ?? [])
        if (group === preferred) choice = 'higher';
        else found.push({ subjects: group, predicate: pending, kind: { choice, clause, verb: 'own' } });
    return found;
  };
}

/** Returns the predicate of a verb and a preposition after its object; annotators leave the verb out. */
function ofVerb(origin: ResolvedPredicate, { text, lemma }: Predicate, { entity }: NounPhrase) {
  const { verb = '' } = origin;
  if (isIdiom(verb, entity.lemma)) return { ...withVerb(origin, `${entity.head} ${text}`), verb };
  const predicate = { ...withVerb(origin, text), verb };
  return origin.preposition === '' ? { ...predicate, inferred: { lemma } } : predicate;
}

/** Returns the predicate of a verb and words after its object: `looking at`. */
function withVerb({ text, verb = '' }: ResolvedPredicate, rest: string): Predicate {
  return { text: `${text.split(' ')[0]} ${rest}`, lemma: `${verb} ${rest}` };
}

/** Checks for "taking a picture of", which relates who takes it to what it shows. */
const isPictureTaken = ([phrase]: Group, { verb }: ResolvedPredicate, { preposition }: PendingPredicate) =>
  preposition === 'of' && verb === 'take' && sceneryPictures.has(phrase!.entity.lemma);

/** Checks whether a preposition belongs to what is not so, or only possible: "about to hit a ball with a bat". */
function isUnstated(state: ReadingState, { preposition }: PendingPredicate, subjects: Group): boolean {
  if (state.unstated !== undefined && preposition === 'with') return true;
  if (state.unstated === undefined || !subjects.every((phrase) => state.agent.includes(phrase))) return false;
  return state.unstated === 'denied' || !isLocativeAttachment(preposition);
}

/** Before a time of day. */
const times = /^(?:at|during|in|on|by)$/;
/** Verbs with two objects: "feeding a horse a carrot". */
const transfers = wordSet('give feed hand pass offer show throw serve bring');
