import { isAnimate, sceneryPictures } from '../language/noun-classes.js';
import { attachmentSite, isLocativeAttachment } from './attachment.js';
import type { Predicate } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import type { OtherSubjects } from './phrase-graph.js';
import type { PendingPredicate, ReadingState, ResolvedPredicate } from './reading-state.js';
import { isIdiom, isOfVerb, isTool } from './verb-arguments.js';

/**
 * Finds the subjects of a predicate whose object was read, and how the two are worded together; undefined if it has no subject.
 * @param isFarAway whether the object is only in the background
 * @param holder its subjects, if the caption leaves no doubt
 */
export function resolvedPredicate(
  state: ReadingState,
  pending: PendingPredicate,
  object: Group,
  isFarAway = false,
  holder?: Group,
): ResolvedPredicate | undefined {
  const subjects =
    holder ?? pending.subjects ?? attachmentSite(state.nearest, pending.preposition, object[0]!, state.originOf);
  if (subjects.length === 0) return undefined;
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
  const predicate = isOfAgent ? ofVerb(origin, pending, state.nearest[0]!) : pending;
  // Only who uses a tool does something with it, and clothes are those of the person before.
  const isWorn =
    pending.preposition === 'in' &&
    object[0]!.nounClass === 'garment' &&
    isAnimate(state.nearest[0]?.nounClass ?? 'thing');
  const isSure =
    holder !== undefined ||
    pending.preposition === 'full of' ||
    (isWorn && subjects === state.nearest) ||
    (isOfAgent && pending.preposition === 'with' && isTool(object[0]!));
  const others = pending.preposition === 'of' ? undefined : otherSubjectsOf(state, pending, subjects, object);
  const otherSubjects = others && isSure ? noOthers : others;
  return {
    text: predicate.text,
    lemma: predicate.lemma,
    inferred: predicate.inferred,
    verb: isOfAgent ? origin.verb : pending.verb,
    preposition: pending.preposition,
    subjects,
    isFronted: pending.isFronted,
    isDenied,
    others: pending.others,
    isAside: pending.isAside,
    otherSubjects,
  };
}

const noOthers = () => [];

/** The groups that introduced each other, from the nearest one on, at most. */
const CHAIN = 4;

/** Returns a function that finds which other subjects a predicate may have; undefined if there are none. */
function otherSubjectsOf(
  { nearest, originOf }: ReadingState,
  pending: PendingPredicate,
  preferred: Group,
  object: Group,
): (() => OtherSubjects[]) | undefined {
  // "mountains above them": what introduced the mountains is the object.
  const isOther = (group: Group | undefined) =>
    group !== undefined && group !== preferred && !object.includes(group[0]!);
  // Later clauses may give the phrase another origin.
  const introduced = pending.subjects ? undefined : originOf(nearest);
  const hasOthers = pending.subjects
    ? pending.others?.some(isOther)
    : isOther(nearest) || isOther(introduced?.subjects);
  if (!hasOthers) return undefined;
  return () => {
    const found: OtherSubjects[] = [];
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
            kind: { choice, verb: predicate === pending ? 'none' : 'around' },
          });
        const origin = k === 0 ? introduced : originOf(group);
        if (!origin) break;
        predicate = origin.verb === undefined || origin.isDenied ? pending : withVerb(origin, pending.text);
        group = origin.subjects;
      }
    } else
      for (const group of pending.others ?? [])
        if (group === preferred) choice = 'higher';
        else found.push({ subjects: group, predicate: pending, kind: { choice, verb: 'own' } });
    return found;
  };
}

/** Returns the predicate of a verb and a preposition after its object; annotators leave the verb out. */
function ofVerb(origin: ResolvedPredicate, { text, lemma }: Predicate, { entity }: NounPhrase): Predicate {
  const { verb = '' } = origin;
  if (isIdiom(verb, entity.lemma)) return withVerb(origin, `${entity.head} ${text}`);
  const predicate = withVerb(origin, text);
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
