import type { Review } from '../../records/review.js';

/** Names an image in edits; ids are compared as texts. */
export const imageName = ({ dataset, id, file }: Review['image']): string =>
  JSON.stringify([dataset, String(id), file]);
