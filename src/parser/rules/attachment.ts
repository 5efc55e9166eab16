import { isAnimate, type NounClass } from '../language/noun-classes.js';
import type { VerbPart } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';

/** Noun phrases joined by "and": they take part in a relation together. */
export type Group = readonly NounPhrase[];

/** How a group came into its clause: "a man riding a horse" brings the horse in as the object of `riding`. */
export interface Origin {
  readonly subjects: Group;
  /** The preposition before it; empty for the direct object of a verb. */
  readonly preposition: string;
  /** The infinitive of the verb; none after a preposition alone. */
  readonly verb?: string;
}

/** Says how a group came in; undefined where nothing brought it. */
export type OriginOf = (group: Group) => Origin | undefined;

/**
 * The group that a preposition without a verb speaks of. It is the nearest one, unless that one only dresses, holds,
 * locates or gathers another: "a plate of food on a table", "a man in a hat with a dog", "a man riding a wave on a surfboard".
 * @param nearest the group before the preposition
 */
export function attachmentSite(nearest: Group, preposition: string, object: NounPhrase, originOf: OriginOf): Group {
  if (preposition === 'of') return nearest.slice(-1);
  let group = nearest;
  for (
    let origin = originOf(group);
    origin && attachesHigher(group[0]!, origin, preposition, object);
    origin = originOf(group)
  )
    group = origin.subjects;
  return group;
}

/** Whether the preposition speaks of what brought the holder in, rather than of the holder. */
function attachesHigher(holder: NounPhrase, origin: Origin, preposition: string, object: NounPhrase): boolean {
  if (holder.nounClass === 'time' || object.nounClass === 'time' || temporal.has(preposition)) return true;
  if (isAnimate(holder.nounClass)) return false;
  // "a plate of food on a table", but "a picture of food on a table"
  if (origin.preposition === 'full of') return true;
  if (origin.preposition === 'of') return origin.subjects[0]!.nounClass !== 'event';
  // "a bat over her head on the sand"
  if (holder.nounClass === 'bodyPart' && object.nounClass === 'place') return true;
  // "a lamp on a desk next to a bed", where the lamp is next to the bed too
  if (isSideBySide(preposition) && locatives.has(origin.preposition)) return true;
  return (
    origin.subjects.some(({ nounClass }) => isAnimate(nounClass)) && isIncidental(holder, origin, preposition, object)
  );
}

/** Whether the holder is only what somebody wears, holds or does. */
function isIncidental(holder: NounPhrase, origin: Origin, preposition: string, object: NounPhrase): boolean {
  // "a man in a hat with a dog", but "a shirt with stripes"
  if (isWorn(holder, origin)) return object.nounClass !== 'bodyPart' && (preposition !== 'with' || isCarried(object));
  // "a man on a sidewalk with one leg up", "a woman on a beach with an umbrella"
  if (preposition === 'with' && object.nounClass === 'bodyPart') return true;
  if (preposition === 'with' && isCarried(object)) return !perception.has(origin.verb ?? '');
  // "riding a wave on a surfboard", "riding a bike in a dress"
  if (preposition === 'on' && object.nounClass === 'board') return true;
  if (preposition === 'in' && object.nounClass === 'garment') return true;
  const isHeld =
    (origin.verb !== undefined && origin.preposition === '') ||
    (origin.preposition === 'with' && (origin.verb !== undefined || isCarried(holder)));
  if (!isHeld) return false;
  // "doing a trick on a ramp", "swinging a bat in a field", "holding a sign next to a bus"
  if (holder.nounClass === 'event' || isSideBySide(preposition)) return true;
  return locatives.has(preposition) && object.nounClass === 'place' && holder.nounClass !== 'vehicle';
}

/**
 * The group that a verb without an auxiliary speaks of: the nearest that can do such a thing, so that "a man in a hat riding
 * a horse" is about the man, "a woman with a train passing by" about the train.
 */
export function agentOf(nearest: Group, verb: VerbPart, originOf: OriginOf): Group {
  let group = nearest;
  for (;;) {
    const origin = originOf(group);
    if (canAct(group[0]!, verb, origin)) return group;
    if (!origin) break;
    group = origin.subjects;
  }
  return isAnimate(group[0]!.nounClass) ? group : locatedGroup(nearest, originOf);
}

function canAct(agent: NounPhrase, { verb, form }: VerbPart, origin: Origin | undefined): boolean {
  if (agent.nounClass === 'person') return true;
  if (agent.nounClass === 'animal') {
    // "a man riding a horse wearing a hat"
    const isMastered = origin?.verb !== undefined && origin.subjects[0]?.nounClass === 'person';
    return !(isMastered && humanVerbs.has(verb));
  }
  // Who has been parked is a car, and what has been done to anything else is done to the nearest.
  if (form === 'participle' && !animateParticiples.has(verb)) return verb !== 'park' || agent.nounClass === 'vehicle';
  if (hangingVerbs.has(verb)) return agent.nounClass !== 'place';
  const isBeside = origin !== undefined && (isSideBySide(origin.preposition) || perception.has(origin.verb ?? ''));
  if (postureVerbs.has(verb) && isBeside) return true;
  if (agent.nounClass !== 'vehicle' || !(motionVerbs.has(verb) || postureVerbs.has(verb))) return false;
  // Who is on a motorcycle drives it.
  return origin === undefined || (!locatives.has(origin.preposition) && origin.verb === undefined);
}

/** Where nothing alive is around, the thing that is somewhere acts: "a plate of food on a table containing meat". */
function locatedGroup(nearest: Group, originOf: OriginOf): Group {
  const origin = originOf(nearest);
  const isLocation = origin && (origin.preposition === 'of' || locatives.has(origin.preposition));
  return isLocation ? locatedGroup(origin.subjects, originOf) : nearest;
}

/** The plate of "a plate of food on it". */
export function containerOf(group: Group, originOf: OriginOf): Group {
  const origin = originOf(group);
  return origin?.preposition === 'of' ? containerOf(origin.subjects, originOf) : group;
}

const isWorn = (phrase: NounPhrase, origin: Origin) =>
  phrase.nounClass === 'garment' &&
  (origin.preposition === 'in' || origin.preposition === 'with' || origin.verb === 'wear');

const carried: ReadonlySet<NounClass> = new Set<NounClass>(['tool', 'board', 'animal', 'person']);
const isCarried = (object: NounPhrase) => carried.has(object.nounClass);

/** Whether it places two things side by side: what is beside a lamp is beside its desk. */
export const isSideBySide = (preposition: string): boolean => adjacent.has(preposition);
/** Whether its object says where its subject is. */
export const isLocative = (preposition: string): boolean => locatives.has(preposition) || isSideBySide(preposition);

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

const locatives = new Set([
  ...wordSet('in on at inside atop aboard within into onto down along across through under beneath underneath'),
  'on top of',
]);
const adjacent = new Set([
  ...wordSet('beside near by behind between alongside above'),
  ...['next to', 'in front of', 'close to'],
]);
const temporal = wordSet('during before after until');

const perception = wordSet('look watch view observe see stare photograph');
/** What people do with an animal rather than animals. */
const humanVerbs = wordSet('hold wear carry talk read use throw smile pose ride swing play jump');
/** Participles of what only the living do. */
const animateParticiples = wordSet('dress seat pose gather crouch bend huddle perch');
/** What things do, whoever has them. */
const hangingVerbs = wordSet('hang grow stick blow flow protrude dangle reflect drip surround line overlook');
/** What things do too where nobody holds them. */
const postureVerbs = wordSet('sit stand lie lay lean rest park float');
/** What vehicles do too. */
const motionVerbs = wordSet(`go come drive travel fly move pass pull run roll approach sail cross turn head wait land
  carry`);
