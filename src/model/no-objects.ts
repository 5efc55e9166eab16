/** Official label of the background class; it must be the last object label. */
export const NO_OBJECTS = 'no objects';
