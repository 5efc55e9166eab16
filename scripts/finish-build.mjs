// Completes dist after tsc: copies the data files of src (lexicons, vocabularies, models) and makes the command executable.
import { chmodSync, cpSync } from 'node:fs';

// A model card belongs to its weights.
const isData = (path) => !/\.(?:ts|md)$/.test(path) || /model-card\.md$/.test(path);
cpSync('src', 'dist/src', { recursive: true, filter: isData });
chmodSync('dist/src/cli/main.js', 0o755);
