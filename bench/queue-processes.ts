// The processes of bench/queue.ts: a server, workers and commands, each pinned to one processor if taskset is installed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export const PROCESSORS = availableParallelism();
export const CAN_PIN = spawnSync('taskset', ['--version']).status === 0;
/** The compiled command. */
export const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

const children = new Set<ChildProcess>();

/** A running command. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when a worker prints that it is ready. */
  readonly ready: Promise<void>;
  /** Rejects when the command exits with an error. */
  readonly ended: Promise<void>;
}

/** Starts a server without persistence. */
export function startServer(port: number, folder: string): ChildProcess {
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']);
  children.add(server);
  return server;
}

/** Pins a running process to another processor. */
export function move({ pid }: ChildProcess, processor: number): void {
  if (CAN_PIN)
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(processor % PROCESSORS), String(pid)]);
}

/** Starts the compiled command. */
export function start(args: readonly string[], processor = 0): Running {
  const [program, ...rest] = [...onProcessor(processor), process.execPath, main, ...args];
  const child = spawn(program!, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  let output = '';
  const ready = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk;
      if (output.includes('ready for')) resolve();
    });
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('close', (code) => {
      children.delete(child);
      if (code === 0) resolve();
      else reject(new Error(`relflow ${args[0]} exited with ${code}: ${output}`));
    });
  });
  return { child, ready, ended };
}

/** Starts workers, each on the next processor, and waits until they are ready. */
export async function startWorkers(
  count: number,
  url: string,
  args: readonly string[] = [],
  processor = 0,
): Promise<Running[]> {
  const crowd = Array.from({ length: count }, (_, index) =>
    start(['worker', '--queue', url, ...args], processor + index),
  );
  await Promise.all(crowd.map(({ ready }) => ready));
  return crowd;
}

export async function end(crowd: readonly Running[]): Promise<void> {
  for (const { child } of crowd) child.kill('SIGTERM');
  await Promise.all(crowd.map(({ ended }) => ended));
}

/** Kills every process that was started here. */
export function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Returns the command that pins another one to a processor; empty if taskset is not installed. */
function onProcessor(index: number): string[] {
  return CAN_PIN ? ['taskset', '--cpu-list', String(index % PROCESSORS)] : [];
}
