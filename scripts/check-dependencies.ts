/** Checks the dependencies in package-lock.json: `npm run check:dependencies`. Exits with 1 and names each problem. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package-info.js';
import { dependencyProblems, type LockedPackage } from './dependency-problems.js';

const read = (name: string) => readFileSync(join(packageRoot, name), 'utf8');
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
const problems = dependencyProblems(packages, { allowScripts, notice: read('NOTICE') });
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${Object.keys(packages).length - 1} packages: install scripts, licenses and origins are as listed`);
