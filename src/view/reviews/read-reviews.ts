import { InputError } from '../../errors.js';
import { exists } from '../../files/exists.js';
import type { Review } from '../../records/review.js';
import { ReviewFile } from './review-file.js';

/**
 * Reads files of edits, each edit once.
 * @returns the edits, and what is wrong with the files, for people
 * @throws InputError when a file does not exist or cannot be read
 */
export async function readReviews(
  paths: readonly string[],
): Promise<{ readonly reviews: readonly Review[]; readonly problems: readonly string[] }> {
  const reviews = new Map<string, Review>();
  const problems: string[] = [];
  for (const path of paths) {
    if (!(await exists(path))) throw new InputError(path, 'no such file, expected edits that relflow view wrote');
    const file = await ReviewFile.open(path);
    for (const [id, review] of file.edits) reviews.set(id, review);
    if (file.problem !== undefined) problems.push(`${path}: ${file.problem}`);
  }
  return { reviews: [...reviews.values()], problems };
}
