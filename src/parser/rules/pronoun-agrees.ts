import { isAnimate } from '../language/noun-classes.js';
import type { NounPhrase } from './noun-phrase.js';

/**
 * Checks whether a pronoun agrees in number and kind with a group of noun phrases, so that it may refer to the group.
 * @param word a lower-case personal pronoun; any other (`one`, `itself`) agrees with no group
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
      // Without a determiner "sheep" may be a plural.
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
