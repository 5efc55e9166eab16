import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from './folders.js';

// Records of started runs stay out of the user's own folder.
process.env['RELFLOW_STATE'] ??= temporaryFolder();

let built = false;

/** Returns the path of the compiled command, after a build when its sources are younger. */
export function command(): string {
  const file = join(packageRoot, 'dist/src/cli/main.js');
  if (!built && (!existsSync(file) || lastChange() >= statSync(file).mtimeMs))
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: packageRoot, stdio: ['ignore', 'ignore', 'inherit'] });
  built = true;
  return file;
}

/** Builds before parallel processes of tests start, so that they do not build at the same time. */
export function mochaGlobalSetup(this: { isParallelMode(): boolean }): void {
  if (this.isParallelMode()) command();
}

/** When the compiled code's sources last changed, in milliseconds; a folder changes when files are added or removed. */
function lastChange(): number {
  const sources = ['src', 'pipelines'].flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const build = ['tsconfig.build.json', 'scripts/finish-build.mjs'];
  return Math.max(...[...sources, ...build].map((path) => statSync(join(packageRoot, path)).mtimeMs));
}
