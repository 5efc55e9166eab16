import { fileURLToPath } from 'node:url';

/** Name that selects the embedded tagger in place of a weights file. */
export const SPRITES = 'sprites';

/**
 * Path of the weights of the tagger that is included in relflow: a small R-Tagger, trained within minutes on drawn scenes.
 * It knows sprites only, not photographs. `embedded/model-card.md` describes its training and its scores.
 *
 * @example
 * ```ts
 * import { rTagger, spriteWeights } from 'relflow/model';
 *
 * const tagger = rTagger({ weights: spriteWeights, images: 'scenes/images', categories: ['person', 'dog', 'ball'] });
 * ```
 */
export const spriteWeights: string = fileURLToPath(new URL('./embedded/sprites.safetensors', import.meta.url));

/** Returns the path of a weights file: that of the embedded tagger for `sprites`, else the argument. */
export const taggerWeights = (weights: string): string => (weights === SPRITES ? spriteWeights : weights);
