/**
 * The class of an object that a relation lacks, in closed vocabularies with such relations: V-COCO's 81st. Its box is empty.
 * Source: RLIPv2, datasets/vcoco.py.
 */
export const MISSING_OBJECTS = 'missing objects';
