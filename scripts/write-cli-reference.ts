/** Writes the part of docs/cli.md that lists every command and option. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package-info.js';
import { cliReference, REFERENCE_START } from './cli-reference.js';

const file = join(packageRoot, 'docs', 'cli.md');
const [introduction] = readFileSync(file, 'utf8').split(REFERENCE_START);
writeFileSync(file, `${introduction}${REFERENCE_START}\n\n${await cliReference()}`);
