import { nameVariants } from './category-names.js';
import { preferredLists } from './category-words.js';

/**
 * Returns the name of each category as a model reads it: the built-in list's own name for a category that it has under any
 * usual name, otherwise the words of the name in lower case.
 *
 * @param categories the names as written in the data set
 */
export function categoryLabels(categories: readonly string[]): ReadonlyMap<string, string> {
  const lists = preferredLists(categories);
  return new Map(
    categories.map((category) => {
      const list = lists.find(({ categoryOf }) => categoryOf(category) !== undefined);
      const label = list?.categoryOf(category) ?? nameVariants(category)[0]?.join(' ');
      return [category, label || category];
    }),
  );
}
