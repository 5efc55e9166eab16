// Copies the data files of src beside the compiled code: lexicons, vocabularies, models.
import { cpSync } from 'node:fs';

// A model card goes with its weights.
const isData = (path) => !/\.(?:ts|md)$/.test(path) || /model-card\.md$/.test(path);
cpSync('src', 'dist/src', { recursive: true, filter: isData });
