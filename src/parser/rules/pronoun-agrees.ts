import { isAnimate } from '../language/noun-classes.js';
import type { NounPhrase } from './noun-phrase.js';

/**
 * Whether a pronoun may stand for a group of noun phrases.
 * @param word a personal pronoun in lower case; any other (`one`, `itself`) fits nothing
 */
export function pronounAgrees(word: string, group: readonly NounPhrase[]): boolean {
  const [first] = group;
  if (!first) return false;
  const isPlural = group.length > 1 || first.isPlural;
  switch (word) {
    case 'it':
      return !isPlural && first.nounClass !== 'person';
    case 'they':
    case 'them':
      // "sheep" may be many
      return isPlural || !first.isDetermined;
    case 'he':
    case 'him':
    case 'she':
    case 'her':
      return !isPlural && isAnimate(first.nounClass);
    default:
      return false;
  }
}
