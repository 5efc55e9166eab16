import { isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { NounPhrase } from './noun-phrase.js';

/**
 * Checks whether a pronoun agrees in number, kind and gender with a group of noun phrases, so that it may refer to the group.
 * @param word a lower-case pronoun; those that refer to nothing outside their clause (`itself`) agree with no group
 */
export function pronounAgrees(word: string, group: readonly NounPhrase[]): boolean {
  const [first] = group;
  if (!first) return false;
  const isOne = group.length === 1 && first.entity.quantity === 'one';
  const isPlural = group.length > 1 || (first.isPlural && !isOne);
  switch (word) {
    case 'it':
    case 'its':
      return !isPlural && (first.nounClass !== 'person' || babies.has(first.entity.lemma));
    case 'they':
    case 'them':
    case 'their':
      // Without a determiner "sheep" may be a plural; "a couple" is always one.
      return (
        isPlural ||
        first.isPlural ||
        collected.has(first.entity.lemma) ||
        (!first.isDetermined && isAnimate(first.nounClass)) ||
        first.entity.lemma === 'someone'
      );
    case 'one':
      // "one of the goats eats, the other sleeps", "one goat eats, the other sleeps"
      return isPlural || first.isPlural || isOne;
    case 'the one':
      return true;
    case 'both':
      return group.length === 2 || pairs.has(first.entity.quantity ?? '');
    case 'he':
    case 'him':
    case 'his':
      return !isPlural && isAnimate(first.nounClass) && genderOf(first) !== 'female';
    case 'she':
    case 'her':
      return !isPlural && isAnimate(first.nounClass) && genderOf(first) !== 'male';
    default:
      return false;
  }
}

/** Returns the gender that a noun says; undefined if it says none: `nurse`, `dog`. */
export function genderOf({ entity: { lemma }, nounClass }: NounPhrase): 'female' | 'male' | undefined {
  if (nounClass !== 'person') return undefined;
  if (female.has(lemma) || /(?:woman|girl|waitress|actress|princess|hostess)$/.test(lemma)) return 'female';
  return male.has(lemma) || /(?:man|boy)$/.test(lemma) ? 'male' : undefined;
}

/** Persons that may be `it`. */
const babies = wordSet('baby infant newborn');
const pairs = wordSet('two 2 couple pair both');
/** Nouns for several persons. */
const collected = wordSet('couple crowd family team crew audience band group trio pair class choir staff duo');
const female =
  wordSet(`lady mother mom mum grandmother grandma wife daughter sister aunt bride bridesmaid nun queen female
  ballerina widow`);
const male =
  wordSet(`gentleman guy father dad grandfather grandpa husband son brother uncle groom king prince monk priest male
  santa waiter`);
