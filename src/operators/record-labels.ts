import { memoize } from '../parser/language/memoize.js';
import type { ImageRecord } from '../records/image.js';
import { categoryLabels } from '../vocabulary/category-labels.js';

/** Returns the labels of the data set's categories and of the image's. The records of a file share their list of categories. */
export function recordLabels({ categories = [], detections }: ImageRecord): ReadonlyMap<string, string> {
  const listed = new Set(categories);
  const others = detections.flatMap(({ category }) => (listed.has(category) ? [] : category));
  return cachedLabels(JSON.stringify([...categories, ...new Set(others)]));
}

const cachedLabels = memoize(64, (names) => categoryLabels(JSON.parse(names)));
