import { possessives } from '../language/closed-classes.js';
import { isAbstract, isAnimate, type NounClass, pictureHangers, sceneryPictures } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { VerbPart } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group, Origin, OriginOf } from './origin.js';
import { dishes, goals, isCarried, isOfVerb, isTool, isUtensil, paths } from './verb-arguments.js';

/**
 * Returns the group that a preposition without a verb attaches to. It is the nearest group, unless that group is only the
 * clothing, tool, location or content of another: "a plate of food on a table", "a man in a hat with a dog", "a man riding a
 * wave on a surfboard".
 * @param nearest the group before the preposition
 */
export function attachmentSite(nearest: Group, preposition: string, object: NounPhrase, originOf: OriginOf): Group {
  if (preposition === 'of') return nearest.slice(-1);
  // "a radio and a vase with a rose", "boys and a dog with a collar", but "men and women with hats"
  const last = nearest.slice(-1);
  const isOfLast = isThing(last[0]!) || (last[0]!.isDetermined && !object.isPlural);
  let group =
    (preposition === 'full of' && nearest.length > 1) || (preposition === 'with' && isOfLast) ? last : nearest;
  for (
    let origin = originOf(group);
    origin &&
    (attachesHigher(group[0]!, origin, preposition, object) || isUsedOn(origin, preposition, object, originOf));
    origin = originOf(group)
  )
    group = origin.subjects;
  return group;
}

const isThing = ({ nounClass, isDetermined }: NounPhrase) => isDetermined && !isAnimate(nounClass);

/** Checks whether a tool is used on what is at a place: "digs a ditch in the mud with a spade". */
function isUsedOn(
  { preposition: place, subjects }: Origin,
  preposition: string,
  object: NounPhrase,
  originOf: OriginOf,
) {
  const outer = preposition === 'with' && isTool(object) && place !== '' ? originOf(subjects) : undefined;
  return outer !== undefined && isOfVerb(outer, preposition, subjects[0]!, object);
}

/** Checks whether the preposition attaches to the group that introduced `phrase`, rather than to `phrase`. */
function attachesHigher(phrase: NounPhrase, origin: Origin, preposition: string, object: NounPhrase): boolean {
  if (phrase.nounClass === 'time' || object.nounClass === 'time' || temporal.has(preposition)) return true;
  // "a beach with boats on it under a blue sky"
  if (object.entity.lemma === 'sky' && /^(?:under|beneath|below|against)$/.test(preposition)) return true;
  if (isOfVerb(origin, preposition, phrase, object)) return true;
  // "cut in half on a board"
  if (isAbstract(phrase.entity.lemma) && origin.preposition !== '') return true;
  // "from a bucket into a trough"
  if (origin.preposition.endsWith('from') && goals.has(preposition)) return true;
  // "posing for a picture in front of a door"
  if (phrase.nounClass === 'event' && origin.preposition === 'for') return true;
  if (isAnimate(phrase.nounClass)) return origin.preposition === 'of' && isPicture(origin, preposition, object);
  // "walking a dog on a leash down the street"
  if (paths.has(preposition) && origin.verb === undefined && still.has(phrase.nounClass)) return true;
  // "a toilet with its lid up next to a sink"
  if (
    isSideBySideAttachment(preposition) &&
    origin.preposition === 'with' &&
    isOwn(phrase) &&
    phrase.nounClass !== 'bodyPart'
  )
    return true;
  // "a sign that says hello on a wall"
  if (origin.verb !== undefined && inscriptions.has(origin.verb)) return true;
  // "a plate with a sandwich on a table"
  if (surfaces.has(object.entity.lemma) && isDish(origin, preposition)) return true;
  // "a plate of pasta with cheese", but "a plate of pasta with a fork"
  if (origin.preposition === 'of' && preposition === 'with') return phrase.isDetermined || isUtensil(object);
  if (phrase.nounClass === 'board' && object.nounClass === 'place') return true;
  // "a plate of food on a table", but "a picture of food on a table"
  if (origin.preposition === 'full of') return true;
  if (origin.preposition === 'of')
    return origin.subjects[0]!.nounClass !== 'event' || isPicture(origin, preposition, object);
  // "a bat over her head on the sand"
  if (phrase.nounClass === 'bodyPart' && object.nounClass === 'place')
    return origin.preposition !== 'with' || !isOwn(phrase);
  // "a lamp on a desk next to a bed", where the lamp is next to the bed too
  if (isSideBySideAttachment(preposition) && (isPlace(origin.preposition) || isPart(origin.preposition))) return true;
  return (
    origin.subjects.some(({ nounClass }) => isAnimate(nounClass)) && isIncidental(phrase, origin, preposition, object)
  );
}

/** Checks whether `phrase` is only something that a person or animal wears, holds or does. */
function isIncidental(phrase: NounPhrase, origin: Origin, preposition: string, object: NounPhrase): boolean {
  // "a man in a hat with a dog", but "a shirt with stripes"
  if (isWorn(phrase, origin))
    return (
      object.nounClass !== 'bodyPart' &&
      !(object.nounClass === 'garment' && preposition !== 'in' && preposition !== 'with') &&
      (preposition !== 'with' || isCarried(object) || object.nounClass === 'garment')
    );
  // "a man on a sidewalk with one leg up", "a woman on a beach with an umbrella"
  if (preposition === 'with' && object.nounClass === 'bodyPart') return true;
  // "a horse pulling a carriage with tourists"
  const isAboard =
    phrase.nounClass === 'vehicle' && object.nounClass === 'person' && origin.subjects[0]!.nounClass === 'animal';
  if (preposition === 'with' && isCarried(object)) return !perception.has(origin.verb ?? '') && !isAboard;
  // "riding a wave on a surfboard", "riding a bike in a dress"
  if (
    (preposition === 'on' || preposition === 'on top of') &&
    (object.nounClass === 'board' || rides.has(object.entity.lemma))
  )
    return true;
  if (preposition === 'in' && object.nounClass === 'garment') return true;
  const isHeld =
    (origin.verb !== undefined && origin.preposition === '') ||
    (origin.preposition === 'with' && (origin.verb !== undefined || isCarried(phrase)));
  if (!isHeld) return false;
  // "doing a trick on a ramp", "swinging a bat in a field", "holding a sign next to a bus"
  if (phrase.nounClass === 'event' || performs.has(origin.verb ?? '') || isSideBySideAttachment(preposition))
    return true;
  // "mending a net with a needle on a quay"
  if (
    origin.verb !== undefined &&
    origin.preposition !== '' &&
    phrase.nounClass === 'tool' &&
    locatives.has(preposition)
  )
    return !isOwn(object) && object.nounClass !== 'bodyPart';
  // "knitting a scarf in an armchair"
  if (/^(?:in|on)$/.test(preposition) && seats.has(object.entity.lemma)) return !placing.has(origin.verb ?? '');
  // "swinging a bat in a field", but "placing a crate on a lawn"
  if (placing.has(origin.verb ?? '')) return false;
  return locatives.has(preposition) && object.nounClass === 'place' && phrase.nounClass !== 'vehicle';
}

/**
 * Returns the subject of a verb without an auxiliary: the nearest group that can perform the action. In "a man in a hat
 * riding a horse" it is the man, in "a woman with a train passing by" the train.
 */
export function attachmentAgent(nearest: Group, verb: VerbPart, originOf: OriginOf): Group {
  let group = nearest;
  // ", with wires running above it", but "a man with a bag running"
  const introduced = originOf(nearest);
  if (
    introduced?.preposition === 'with' &&
    introduced.verb === undefined &&
    !animateVerbs.has(verb.verb) &&
    !isOwn(nearest[0]!) &&
    (introduced.isAside === true ||
      (introduced.subjects[0]!.nounClass === 'place' && !isIncidentalClass(nearest[0]!.nounClass)))
  )
    return nearest;
  for (;;) {
    const origin = originOf(group);
    if (canAct(group[0]!, verb, origin)) return group;
    if (!origin) break;
    group = origin.subjects;
  }
  return isAnimate(group[0]!.nounClass) ? group : locatedGroup(nearest, originOf);
}

/**
 * Returns what a relative clause is about: the nearest group that agrees with its verb in number and may do what it says. In "a man
 * with a cart that is full" it is the cart, in "two boys in a boat that are fishing" the boys.
 * @param relative the word that begins it
 */
export function relativeSubject(nearest: Group, verb: VerbPart, relative: string, originOf: OriginOf): Group {
  const isPersonal = relative === 'who';
  // "a girl waxing a board, which rests": not the girl
  if (relative === 'which' && agrees(nearest, verb) && !isAnimate(nearest[0]!.nounClass)) return nearest;
  for (let group = nearest; group.length > 0; group = originOf(group)?.subjects ?? []) {
    const origin = originOf(group);
    if (!agrees(group, verb)) continue;
    // "a jar of cookies that stands on a shelf"
    if (origin?.preposition === 'of' && dishes.has(origin.subjects[0]!.entity.lemma) && agrees(origin.subjects, verb))
      continue;
    if (isPersonal ? isAnimate(group[0]!.nounClass) : mayDo(group[0]!, verb)) return group;
  }
  const isOfOther = isPersonal || animateVerbs.has(verb.verb) || isIncidentalClass(nearest[0]!.nounClass);
  const found = attachmentAgent(nearest, verb, originOf);
  return isOfOther || isAnimate(found[0]!.nounClass) || !agrees(nearest, verb) ? found : nearest;
}

const agrees = (group: Group, { isSingular }: VerbPart) =>
  isSingular === undefined || isSingular === (group.length === 1 && !group[0]!.isPlural);

/** Checks whether a phrase may do what a verb says, if what it belongs to may do it too. */
function mayDo({ nounClass }: NounPhrase, { verb, text }: VerbPart): boolean {
  if (isAnimate(nounClass)) return true;
  if (animateVerbs.has(verb)) return false;
  // "a man in a hat that is standing", but "a hat that lies"
  const isPosture = postureVerbs.has(verb) || motionVerbs.has(verb);
  return !isPosture || (!text.split(' ')[0]!.endsWith('ing') && !isIncidentalClass(nounClass));
}

/** Checks for what people wear, have or use. */
const isIncidentalClass = (nounClass: NounClass) =>
  nounClass === 'garment' || nounClass === 'bodyPart' || nounClass === 'tool' || nounClass === 'board';

function canAct(agent: NounPhrase, { verb, form }: VerbPart, origin: Origin | undefined): boolean {
  if (agent.nounClass === 'person') return true;
  if (agent.nounClass === 'animal') {
    // "a man riding a horse wearing a hat"
    const isHandledByPerson = origin?.verb !== undefined && origin.subjects[0]?.nounClass === 'person';
    return !(isHandledByPerson && humanVerbs.has(verb));
  }
  // Only vehicles are parked; any other participle describes the nearest phrase.
  if (form === 'participle' && !animateParticiples.has(verb)) return verb !== 'park' || agent.nounClass === 'vehicle';
  if (hangingVerbs.has(verb))
    return agent.nounClass !== 'place' || verb === 'overlook' || agent.entity.lemma === 'water';
  const isNextTo =
    origin !== undefined && (isSideBySideAttachment(origin.preposition) || perception.has(origin.verb ?? ''));
  if (postureVerbs.has(verb) && isNextTo) return true;
  if (agent.nounClass !== 'vehicle' || !(motionVerbs.has(verb) || postureVerbs.has(verb))) return false;
  // In "a man on a motorcycle driving" the man drives.
  return origin === undefined || (!locatives.has(origin.preposition) && origin.verb === undefined);
}

/** Without a person or animal, the located thing is the subject: "a plate of food on a table containing meat". */
function locatedGroup(nearest: Group, originOf: OriginOf): Group {
  const origin = originOf(nearest);
  // "a truck with its lights on turning"
  const isLocation =
    origin &&
    (origin.preposition === 'of' ||
      locatives.has(origin.preposition) ||
      (origin.preposition === 'with' && isOwn(nearest[0]!)));
  return isLocation ? locatedGroup(origin.subjects, originOf) : nearest;
}

/** Returns the outermost container of a group: the plate in "a plate of food on it". */
export function attachmentContainer(group: Group, originOf: OriginOf): Group {
  const origin = originOf(group);
  return origin?.preposition === 'of' ? attachmentContainer(origin.subjects, originOf) : group;
}

const isWorn = (phrase: NounPhrase, origin: Origin) =>
  phrase.nounClass === 'garment' &&
  (origin.preposition === 'in' || origin.preposition === 'with' || origin.verb === 'wear');

/** Checks whether a preposition places two things side by side: an object next to a lamp is also next to the lamp's desk. */
export const isSideBySideAttachment = (preposition: string): boolean => adjacent.has(preposition);
/** Checks whether the object of a preposition tells where its subject is. */
export const isLocativeAttachment = (preposition: string): boolean =>
  locatives.has(preposition) || isSideBySideAttachment(preposition);

/** Checks whether a place is that of a picture of something, not of what it shows: "a picture of a man on the wall". */
const isPicture = ({ subjects }: Origin, preposition: string, object: NounPhrase) =>
  sceneryPictures.has(subjects[0]!.entity.lemma) &&
  locatives.has(preposition) &&
  pictureHangers.has(object.entity.lemma);

/** Checks whether what a group introduced belongs to something that stands on furniture: "a cake with candles on a table". */
const isDish = ({ subjects, preposition, verb }: Origin, place: string) =>
  place === 'on' &&
  (preposition === 'of' || preposition.endsWith('with')) &&
  (verb === undefined || verb === 'top' || verb === 'fill') &&
  (dishes.has(subjects[0]!.entity.lemma) || (subjects[0]!.nounClass === 'thing' && !isFurniture(subjects[0]!)));

/** Checks for a place, also after a particle: "spread out on". */
const isPlace = (preposition: string) =>
  locatives.has(preposition) || locatives.has(preposition.slice(preposition.lastIndexOf(' ') + 1));

/** Checks for a part of a place: "on the side of". */
const isPart = (preposition: string) => /^(?:in|on|at|along|near) (?!front ).*\bof$/.test(preposition);

/** Checks for what a phrase has by its nature: "its lid". */
export const isOwn = ({ determiner }: NounPhrase) => possessives.has(determiner?.text ?? '');

/** What does not move by itself. */
const still: ReadonlySet<NounClass> = new Set<NounClass>(['thing', 'tool', 'garment', 'bodyPart']);
/** Verbs whose object says what somebody does: "performing a somersault on a ramp". */
const performs = wordSet('do perform execute attempt practice');

const locatives = new Set([
  ...wordSet('in on at inside atop aboard within into onto down along across through under beneath underneath'),
  'on top of',
]);
const adjacent = new Set([
  ...wordSet('beside near by behind between alongside above below'),
  ...['next to', 'in front of', 'close to'],
]);
/** What people sit on while they do something. */
const seats = wordSet('armchair bench chair couch recliner sofa stool');
/** What people ride on, wherever they are. */
const rides = wordSet('bicycle bike motorcycle motorbike scooter sled sledge toboggan tricycle unicycle');
/** Verbs that say where their object goes. */
const placing = wordSet('put place set lay leave drop throw arrange hang');
const temporal = wordSet('during before after until');

const perception = wordSet('look watch view observe see stare photograph');
/** What carries words. */
const inscriptions = wordSet('say read spell');
const isFurniture = ({ entity: { lemma } }: NounPhrase) => surfaces.has(lemma) || furniture.has(lemma);
const furniture = wordSet(
  'bed couch sofa chair cabinet dresser wall window bathtub sink floor bench armchair bookshelf cupboard',
);
/** What dishes stand on. */
const surfaces = wordSet('table counter countertop desk tray shelf stove tablecloth bar mat placemat nightstand cart');
/** Actions of people who handle an animal, rather than of the animal. */
const humanVerbs = wordSet('hold wear carry talk read use throw smile pose ride swing play jump');
/** Participles of actions that only people and animals perform. */
const animateParticiples = wordSet('dress seat pose gather crouch bend huddle perch');
/** What people and animals do: more than 85 % of the subjects of these verbs in FACTUAL's training graphs are alive. */
const animateVerbs =
  wordSet(`bite catch chase clap cook crouch cut dance drink eat enjoy feed gaze graze guide help herd hold hug jump kick
  kiss kneel laugh lick listen look nap pet play pose prepare ride shop sing skate skateboard ski sleep smell smile sniff snowboard speak stare
  step surf swim swing talk throw type walk watch wave wear yawn`);
/** Actions of things, even when somebody has them. */
const hangingVerbs = wordSet('hang grow stick blow flow protrude dangle reflect drip surround line overlook');
/** Actions that things also perform when no person or animal holds them. */
const postureVerbs = wordSet('sit stand lie lay lean rest park float');
/** Actions that vehicles also perform. */
const motionVerbs = wordSet(`go come drive travel fly move pass pull run roll approach sail cross turn head wait land
  carry`);
