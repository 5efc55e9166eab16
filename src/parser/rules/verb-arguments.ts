import { isAnimate, type NounClass } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Origin } from './origin.js';

/**
 * Checks whether a preposition belongs to a verb with another object: "looking out the window at a bird", "riding a horse down the
 * street", "drinking water from a pond", "tightening a pipe with a wrench".
 * @param origin of the phrase before the preposition
 */
export function isOfVerb(
  { verb, preposition: between, text, subjects }: Origin,
  preposition: string,
  phrase: NounPhrase,
  object: NounPhrase,
): boolean {
  if (verb === undefined) return false;
  const { lemma } = phrase.entity;
  if (preposition === 'at') return !between.endsWith('at') && gazes.has(verb);
  // "connected to a screen by a cable"
  if (preposition === 'by') return between !== '' && /^\S+ed\b/.test(text);
  if (moves.has(verb) && between !== '') {
    // "driving up a road toward a hill", but "along a path through a wood"
    if (goals.has(preposition) || preposition === 'past') return true;
    return paths.has(preposition) && !ways.has(lemma);
  }
  if (isIdiom(verb, lemma)) return preposition !== 'of';
  // "scooping ice from a tub with a spoon"
  const isInstrument =
    preposition === 'with' &&
    isTool(object) &&
    mayUse(verb, object) &&
    !isAnimate(phrase.nounClass) &&
    isAnimate(subjects[0]!.nounClass);
  if (keeps.has(verb) || (/^(?:to|into|onto)$/.test(between) && !isInstrument)) return false;
  // "spraying water from a hose onto a wall"
  if (between !== '') return isInstrument || (goals.has(preposition) && transferring.test(between));
  switch (preposition) {
    case 'with':
      return isInstrument || doneWith.has(verb) || (handling.has(verb) && dishes.has(object.entity.lemma));
    case 'to':
      return !entrances.has(lemma) && !ways.has(lemma) && !sights.has(verb);
    case 'from':
      return !sources.has(lemma);
    case 'for':
      return isAnimate(object.nounClass) && !sights.has(verb);
    case 'over':
      return spreads.has(verb);
    default:
      return goals.has(preposition) || /^(?:out of|off|off of)$/.test(preposition)
        ? !sights.has(verb)
        : paths.has(preposition) && (travels.has(verb) || conveys.has(verb));
  }
}

/** Checks for a verb whose object is a part of it: "making their way to". */
export const isIdiom = (verb: string, object: string): boolean =>
  (verb === 'make' && object === 'way') || (verb === 'take' && object === 'place');

/** Checks for what a verb may be done with: "eating soup with a spoon". */
export const isUtensil = (object: NounPhrase): boolean =>
  isCarried(object) || object.nounClass === 'bodyPart' || dishes.has(object.entity.lemma);

/** Checks for what things are done with: "mending a net with a needle", "lifting a box with both hands". */
export const isTool = ({ nounClass }: NounPhrase): boolean => nounClass === 'tool' || nounClass === 'bodyPart';
/** Checks for a verb that does something to its object, rather than meet it, move it or have it. */
const mayUse = (verb: string, { entity }: NounPhrase) =>
  !sights.has(verb) && !travels.has(verb) && !keeps.has(verb) && !(conveys.has(verb) && loads.has(entity.lemma));
/** What people carry, but do nothing with. */
const loads = wordSet('bag backpack balloon book briefcase handbag luggage magazine newspaper purse suitcase');

/** Checks for what people carry or bring along. */
export const isCarried = ({ nounClass }: NounPhrase): boolean => carried.has(nounClass);
const carried: ReadonlySet<NounClass> = new Set<NounClass>(['tool', 'board', 'animal', 'person']);

/** What food and small things are in. */
export const dishes = wordSet('plate bowl dish cup mug glass tray vase pot pan basket box platter saucer jar');

/** Where something moves. */
export const paths = wordSet('down up along across past through towards toward');
/** Where something ends. */
export const goals = wordSet('to into onto toward towards');

/** What eyes do at a distance, whatever else they meet. */
const gazes = wordSet('look gaze stare glance peer peek smile wave');
export const isSight = (verb: string): boolean => sights.has(verb);
const sights = wordSet('look watch view observe see notice photograph film read');
/** What leads somewhere itself: "a path through a wood". */
const ways = wordSet('alley bridge highway lane path road sidewalk street track trail tunnel river walkway staircase');
const entrances = wordSet('door doorway entrance entry gate key stair step exit access');
/** What comes from somewhere itself. */
const sources = wordSet('view light sunlight smoke steam scene character people person');
/** How people and things move. */
const moves = wordSet(
  'walk run go come drive ride swim fly move travel jump climb hike ski skate sail race march roll head',
);
/** How people move with what they ride or walk. */
const travels = wordSet('ride drive walk row paddle');
/** How people and vehicles move other things. */
const conveys = wordSet(
  'push pull drag carry tow haul lead guide steer wheel roll throw toss kick chase fly bring follow',
);
/** What leaves its object where it is. */
const keeps = wordSet('have wear contain include feature show hold display depict sit stand lie lay');
/** Between a verb and where what it moves ends: "streaming through a window onto a floor". */
const transferring = /^(?:from|out of|with|through|down|up|along|across|past|over)$/;
/** Where an object is strewn. */
const spreads = wordSet('sprinkle pour spread drizzle cast drape scatter stretch throw');
/** Verbs whose `with` says what they are done with. */
const doneWith =
  wordSet(`cover fill decorate wrap tighten loosen trim wipe paint brush hammer stir water spray clean wash dry polish tie
  secure fasten hit strike film plate draw mark dig sweep scrub scrape shave comb measure weld drill examine feed lift stuff load`);
/** Verbs whose `with` may say this. */
const handling = wordSet('cut slice eat serve pick grab catch scoop write hold touch mix fix repair');
