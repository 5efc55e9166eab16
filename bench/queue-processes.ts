// The processes of bench/queue.ts: a server, workers and commands, each on one processor where taskset can see to it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export const PROCESSORS = availableParallelism();
export const CAN_PIN = spawnSync('taskset', ['--version']).status === 0;
/** The compiled command. */
export const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

const children = new Set<ChildProcess>();

/** A command at work. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when a worker says that it is ready. */
  readonly ready: Promise<void>;
  /** Rejects where it ends with an error. */
  readonly ended: Promise<void>;
}

/** Starts a server that keeps nothing. */
export function startServer(port: number, folder: string): ChildProcess {
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']);
  children.add(server);
  return server;
}

/** Keeps a process that is at work to another processor. */
export function move({ pid }: ChildProcess, processor: number): void {
  if (CAN_PIN)
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(processor % PROCESSORS), String(pid)]);
}

/** Starts the compiled command. */
export function start(args: readonly string[], processor = 0): Running {
  const [program, ...rest] = [...onProcessor(processor), process.execPath, main, ...args];
  const child = spawn(program!, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  let said = '';
  const ready = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('ready for')) resolve();
    });
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('close', (code) => {
      children.delete(child);
      if (code === 0) resolve();
      else reject(new Error(`relflow ${args[0]} ended with ${code}: ${said}`));
    });
  });
  return { child, ready, ended };
}

/** Starts workers, one processor after another, and waits until they are ready. */
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

/** Ends whatever was started here. */
export function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** What keeps a command to one processor; nothing where that can't be done. */
function onProcessor(index: number): string[] {
  return CAN_PIN ? ['taskset', '--cpu-list', String(index % PROCESSORS)] : [];
}
