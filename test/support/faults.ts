import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { Random } from '../../src/records/random.js';
import type { Ended } from './command.js';
import { temporaryFolder } from './folders.js';

/** What happens at one operation on a file, see `fault-shim.c`. */
export const FAULTS = ['kill', 'torn', 'power-cut', 'ENOSPC', 'EROFS', 'EIO', 'EMFILE'] as const;
export type Fault = (typeof FAULTS)[number];

/** Something that writes to a folder and may be interrupted at each operation. */
export interface Scenario {
  readonly name: string;
  /** Arguments of Node.js: the script that writes to the folder, and its arguments. */
  readonly program: (folder: string) => readonly string[];
  /** The folder before the program starts; none by default. */
  readonly before?: string;
  /** Completes an interrupted program without faults and checks the folder. */
  readonly recover: (folder: string, output: string) => Promise<void>;
  /** The cause in an error. Default: the error of the operating system. */
  readonly message?: RegExp;
}

let shim: string | null | undefined;

/** Compiles the library that causes faults; null without Linux and a C compiler. */
export function faultShim(): string | null {
  if (shim !== undefined) return shim;
  const library = join(temporaryFolder(), 'fault-shim.so');
  try {
    if (process.platform !== 'linux') throw new Error('LD_PRELOAD is of Linux');
    const source = join(packageRoot, 'test/support/fault-shim.c');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-pthread']);
    shim = library;
  } catch {
    shim = null;
  }
  return shim;
}

/**
 * Interrupts a scenario by each kind of fault at `count` operations, drawn by `seed`, or at all of them; after each, it
 * must say what failed in one line, and be completed by an undisturbed process.
 *
 * @returns the number of faults
 */
export async function checkFaults(
  scenario: Scenario,
  count: number | 'all',
  seed: number,
  kinds: readonly Fault[] = FAULTS,
): Promise<number> {
  const random = new Random(seed);
  const log = join(temporaryFolder(), 'operations');
  const clean = freshFolder(scenario);
  const logging = { ...faultEnvironment(clean), FAULT_LOG: log };
  const ended = await runNode(scenario.program(clean), logging);
  assert.equal(ended.code, 0, ended.stderr);
  const total = readFileSync(log, 'utf8').split('\n').length - 1;
  const places = Array.from({ length: total }, (_, k) => k + 1);
  let done = 0;
  for (const kind of kinds) {
    const chosen =
      count === 'all' ? places : Array.from({ length: count }, () => 1 + Math.floor(random.next() * total));
    for (const at of chosen) {
      const folder = freshFolder(scenario);
      const { code, stdout, stderr } = await runNode(scenario.program(folder), faultEnvironment(folder, kind, at));
      const what = `${scenario.name}: ${kind} at operation ${at} of ${total}: exit code ${code}\n${stderr}`;
      if (code === 1) checkMessage(stderr, scenario.message ?? new RegExp(`\\([^()]*${kind}\\)`), folder, what);
      else assert.ok(code === 0 || code === null, what);
      try {
        await scenario.recover(folder, stdout);
      } catch (error) {
        throw new Error(`${what}\nafter it: ${(error as Error).message}`, { cause: error });
      }
      rmSync(folder, { recursive: true, force: true });
      done++;
    }
  }
  return done;
}

/** An error names the path, the operation and the cause in one line. */
function checkMessage(stderr: string, cause: RegExp, folder: string, what: string): void {
  const lines = stderr.split('\n').filter((line) => line.startsWith('relflow: '));
  assert.equal(lines.length, 1, what);
  assert.ok(lines[0]!.includes(folder) && cause.test(lines[0]!), what);
  assert.doesNotMatch(stderr, /^ {4}at /m, what);
}

function freshFolder({ before }: Scenario): string {
  const folder = join(temporaryFolder(), 'out');
  if (before !== undefined) cpSync(before, folder, { recursive: true });
  return folder;
}

/** Returns the environment of a process that has a fault at an operation below a folder. */
export function faultEnvironment(folder: string, kind?: Fault, at?: number): NodeJS.ProcessEnv {
  const fault = kind === undefined ? {} : { FAULT_KIND: kind, FAULT_AT: String(at) };
  return { ...process.env, ...fault, LD_PRELOAD: faultShim()!, FAULT_ROOT: folder, UV_USE_IO_URING: '0' };
}

/** Runs Node.js to its end; kills it after two minutes. */
export function runNode(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: packageRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), 120_000);
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...output, code: signal === 'SIGKILL' ? null : (code ?? 143) });
    }),
  );
}

/** Writes a script to a file of its own. */
export function scriptFile(lines: string): string {
  const file = join(temporaryFolder(), 'script.mjs');
  writeFileSync(file, lines);
  return file;
}

export const isRun = (folder: string): boolean => existsSync(join(folder, '.relflow/run.json'));
