import { fileURLToPath } from 'node:url';

/** What stands for the embedded tagger in place of a file of weights. */
export const SPRITES = 'sprites';

/**
 * The weights of the tagger that comes with relflow: a small R-Tagger that was trained on drawn scenes within minutes. It
 * knows sprites, and nothing of photographs. `embedded/model-card.md` says how it was made and how good it is.
 */
export const spriteWeights: string = fileURLToPath(new URL('./embedded/sprites.safetensors', import.meta.url));

/** A file of weights, or the embedded ones by their name. */
export const taggerWeights = (weights: string): string => (weights === SPRITES ? spriteWeights : weights);
