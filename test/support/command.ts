import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/index.js';

const COMMAND = ['--import', 'tsx', join(packageRoot, 'src/cli/main.ts')];

/** The scenes that come with relflow. */
export const SCENES: string = join(packageRoot, 'fixtures', 'scenes');

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `relflow` as a user would. */
export function start(args: readonly string[]): { process: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [...COMMAND, ...args], { cwd: packageRoot, stdio: ['pipe', 'pipe', 'pipe'] });
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
