import { wordSet } from '../language/word-set.js';
import type { NounPhrase } from './noun-phrase.js';
import { genderOf } from './pronoun-agrees.js';

/** Checks whether a phrase may name in other words what an earlier phrase names: "the dog" after "a poodle". */
export function isSameKind(phrase: NounPhrase, earlier: NounPhrase): boolean {
  const [lemma, before] = [phrase.entity.lemma, earlier.entity.lemma];
  if (kinds.some((words) => words.has(lemma) && words.has(before))) return true;
  if (breeds.get(lemma)?.has(before)) return true;
  if (classNames.get(lemma) === earlier.nounClass) return true;
  if (phrase.nounClass !== 'person' || earlier.nounClass !== 'person') return false;
  const gender = genderOf(phrase);
  // "the man" after "a tennis player", "the child" after "a girl"
  return gender === undefined
    ? lemma === 'child' && /^(?:boy|girl|toddler|baby|kid)$/.test(before)
    : genderNouns.has(lemma) && genderOf(earlier) === undefined && !groups.has(before);
}

const classNames: ReadonlyMap<string, NounPhrase['nounClass']> = new Map([
  ['animal', 'animal'],
  ['creature', 'animal'],
  ['person', 'person'],
  ['individual', 'person'],
  ['vehicle', 'vehicle'],
]);
const genderNouns = wordSet('man woman boy girl lady gentleman');
const groups = wordSet('crowd group team family audience crew couple');

/** Nouns that mean the same. */
const kinds = [
  wordSet('sofa couch'),
  wordSet('airplane aeroplane plane aircraft jet jetliner airliner'),
  wordSet('bicycle bike'),
  wordSet('motorcycle motorbike bike'),
  wordSet('phone cellphone smartphone iphone'),
  wordSet('television tv'),
  wordSet('road street'),
  wordSet('boat sailboat rowboat ship vessel ferry yacht'),
  wordSet('computer laptop'),
];

/** Animals by the name of their kind. */
const breeds: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'dog',
    wordSet('beagle bulldog collie corgi husky labrador lab poodle pug pup puppy retriever sheepdog shepherd terrier'),
  ],
  ['cat', wordSet('kitten kitty tabby')],
  [
    'bird',
    wordSet(`crane dove duck eagle falcon flamingo goose gull hawk hen heron owl parakeet parrot peacock pelican pigeon robin
      rooster seagull sparrow stork swan vulture woodpecker`),
  ],
  ['horse', wordSet('stallion pony mare foal')],
]);
