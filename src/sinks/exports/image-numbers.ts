import type { Image } from '../../records/image.js';
import type { ExportContents } from './export-contents.js';
import type { ExportInput } from './export-format.js';

/**
 * Makes a function that returns the number of each image, in the order of the images: its own id if all ids are whole numbers,
 * each once; else 1, 2, …, which are counted as `image-id-renumbered`.
 */
export function imageNumbers(
  { hasNumericImageIds }: ExportContents,
  note: ExportInput['note'],
): (image: Image) => number {
  let last = 0;
  return ({ id }) => {
    if (hasNumericImageIds) return id as number;
    note('image-id-renumbered', String(id));
    return ++last;
  };
}
