import { annotatedPipelines } from './annotated-pipelines.js';
import coco from './coco-pipeline.js';
import demo from './demo-pipeline.js';
import objects365 from './objects365-pipeline.js';
import visualGenome from './visual-genome-pipeline.js';

/** The pipelines that come with relflow, in the order of `relflow list`. */
export const pipelines = [coco, objects365, visualGenome, ...annotatedPipelines, demo];
