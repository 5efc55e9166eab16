import coco from './coco.js';
import demo from './demo.js';
import objects365 from './objects365.js';
import visualGenome from './visual-genome.js';

/** The pipelines that come with relflow, by name on the command line. */
export const pipelines = [coco, objects365, visualGenome, demo];
