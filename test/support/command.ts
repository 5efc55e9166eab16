import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';

/** The command line as it is installed: compiled, once for all tests of a process. */
let built: string | null = null;

/** The path of the compiled command, which is made anew where its sources are younger. */
export function command(): string {
  if (built === null) {
    const file = join(packageRoot, 'dist/src/cli/main.js');
    if (!existsSync(file) || lastChange() >= statSync(file).mtimeMs)
      execFileSync('npm', ['run', '--silent', 'build'], { cwd: packageRoot, stdio: ['ignore', 'ignore', 'inherit'] });
    built = file;
  }
  return built;
}

/** When a source of the package was last changed, in milliseconds; folders tell of what was added and taken away. */
function lastChange(): number {
  const changes = ['src', 'pipelines'].flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(packageRoot, folder, name)).mtimeMs,
    ),
  );
  return Math.max(...changes);
}

/** The scenes that come with relflow. */
export const SCENES: string = join(packageRoot, 'fixtures', 'scenes');

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts `relflow` as a user would.
 * @param wrapper a command that runs it, such as `ip netns exec NAME`
 */
export function start(
  args: readonly string[],
  wrapper: readonly string[] = [],
): { process: ChildProcess; ended: Promise<Ended> } {
  const [program = '', ...rest] = [...wrapper, process.execPath, command(), ...args];
  const child = spawn(program, rest, { cwd: packageRoot, stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
  return { process: child, ended };
}

/** Runs `relflow` to its end. */
export function relflow(args: readonly string[], input = ''): Promise<Ended> {
  const { process: child, ended } = start(args);
  child.stdin?.end(input);
  return ended;
}

/** Does something with each, two at a time. */
export async function inPairs<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let k = 0; k < items.length; k += 2) await Promise.all(items.slice(k, k + 2).map(act));
}
