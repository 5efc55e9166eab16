// Completes dist after tsc: copies the data files of src (lexicons, vocabularies, models), bundles the page of `relflow view`
// and makes the command executable.
import { chmodSync, cpSync } from 'node:fs';
import { bundlePage } from './bundle-page.mjs';

// A model card belongs to its weights.
const isData = (path) => path !== 'src/view/page' && (!/\.(?:ts|md)$/.test(path) || /model-card\.md$/.test(path));
cpSync('src', 'dist/src', { recursive: true, filter: isData });
await bundlePage('dist/src/view/page');
chmodSync('dist/src/cli/main.js', 0o755);
