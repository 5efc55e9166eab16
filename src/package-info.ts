import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const file = createRequire(import.meta.url).resolve('relflow/package.json');

/** The folder of the installed package, where `fixtures` and `schemas` are. */
export const packageRoot: string = dirname(file);

/** relflow's version, from package.json. */
export const version: string = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
