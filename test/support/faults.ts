import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../src/package-info.js';
import { Random } from '../../src/records/random.js';
import type { Ended } from './command.js';
import { temporaryFolder } from './folders.js';

/** What happens at one operation on a file, see `fault-shim.c`; before `clock-ahead`, a kill, the clock is a day ahead. */
export const FAULTS = [
  'kill',
  'torn',
  'power-cut',
  'ENOSPC',
  'EROFS',
  'EIO',
  'EMFILE',
  'clock-back',
  'clock-ahead',
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Which operations of a scenario have a fault: a number of random ones, or every n-th, from 1 for all. Of many writes one after
 * another to one file, only the first two and the last count.
 */
export type FaultChoice = { readonly random: number } | { readonly every: number };

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
 * Interrupts a scenario by each kind of fault at some of its operations, which depend on `seed`; after each, it must say
 * what failed in one line, and be completed by an undisturbed process.
 *
 * @returns the number of faults
 */
export async function checkFaults(
  scenario: Scenario,
  choice: FaultChoice,
  seed: number,
  kinds: readonly Fault[] = FAULTS,
): Promise<number> {
  const random = new Random(seed);
  const operations = await operationsOf(scenario);
  const total = operations.length;
  const places = operations.flatMap((operation, k) => {
    const isInside =
      operation === operations[k - 1] && operation === operations[k - 2] && operation === operations[k + 1];
    return isInside ? [] : [k + 1];
  });
  let done = 0;
  for (const [index, kind] of kinds.entries()) {
    const chosen =
      'every' in choice
        ? places.filter((_, k) => (k + index + seed) % choice.every === 0)
        : Array.from({ length: choice.random }, () => places[Math.floor(random.next() * places.length)]!);
    for (const at of chosen) {
      const folder = freshFolder(scenario);
      const { code, stdout, stderr } = await runNode(scenario.program(folder), faultEnvironment(folder, kind, at));
      const what = `${scenario.name}: ${kind} at operation ${at} of ${total}: exit code ${code}\n${stderr}`;
      if (kind === 'clock-back') assert.equal(code, 0, what);
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

/**
 * Stops the process of a scenario before an operation on a file, lets another process work in its folder meanwhile, and
 * continues it; it must end well.
 */
export async function checkPause(
  scenario: Scenario,
  at: number,
  meanwhile: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = freshFolder(scenario);
  const what = `${scenario.name}, stopped before operation ${at}`;
  let stopped = false;
  const { code, stdout, stderr } = await runNode(
    scenario.program(folder),
    faultEnvironment(folder, 'pause', at),
    async (child) => {
      while (isRunning(child) && !isStopped(child.pid!)) await sleep(5);
      stopped = isRunning(child);
      await meanwhile(folder).finally(() => child.kill('SIGCONT'));
    },
  );
  assert.ok(stopped, `${what}: it was not stopped`);
  assert.equal(code, 0, `${what}: ${stderr}`);
  await scenario.recover(folder, stdout).catch((error: Error) => {
    throw new Error(`${what}: ${error.message}`, { cause: error });
  });
  rmSync(folder, { recursive: true, force: true });
}

const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

function isStopped(pid: number): boolean {
  // After the name in parentheses comes the state.
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Returns the operations on files that a scenario does when it is not disturbed. */
export async function operationsOf(scenario: Scenario): Promise<string[]> {
  const log = join(temporaryFolder(), 'operations');
  const folder = freshFolder(scenario);
  const ended = await runNode(scenario.program(folder), { ...faultEnvironment(folder), FAULT_LOG: log });
  assert.equal(ended.code, 0, ended.stderr);
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => line.slice(line.indexOf(' ') + 1));
}

/** An error names the path, the operation and the cause in one line. */
function checkMessage(stderr: string, cause: RegExp, folder: string, what: string): void {
  const lines = stderr.split('\n').filter((line) => line.startsWith('relflow: '));
  assert.equal(lines.length, 1, what);
  assert.ok(lines[0]!.includes(folder) && cause.test(lines[0]!), what);
  assert.doesNotMatch(stderr, /^ {4}at /m, what);
}

/** Returns a folder as a scenario begins with it. */
export function freshFolder({ before }: Scenario): string {
  const folder = join(temporaryFolder(), 'out');
  if (before !== undefined) cpSync(before, folder, { recursive: true });
  return folder;
}

/** Returns the environment of a process that has a fault at an operation below a folder. */
export function faultEnvironment(folder: string, kind?: Fault | 'pause', at?: number): NodeJS.ProcessEnv {
  const isAhead = kind === 'clock-ahead';
  const fault = kind === undefined ? {} : { FAULT_KIND: isAhead ? 'kill' : kind, FAULT_AT: String(at) };
  const clock = isAhead ? { FAULT_CLOCK: '86400' } : {};
  return { ...process.env, ...fault, ...clock, LD_PRELOAD: faultShim()!, FAULT_ROOT: folder, UV_USE_IO_URING: '0' };
}

/**
 * Runs Node.js to its end; kills it after two minutes.
 * @param meanwhile called with the process when it has started
 */
export async function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  meanwhile: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: packageRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), 120_000);
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...output, code: signal === 'SIGKILL' ? null : (code ?? 143) });
    }),
  );
  await meanwhile(child);
  return ended;
}

/** Writes a script to a file of its own. */
export function scriptFile(lines: string): string {
  const file = join(temporaryFolder(), 'script.mjs');
  writeFileSync(file, lines);
  return file;
}

export const isRun = (folder: string): boolean => existsSync(join(folder, '.relflow/run.json'));
