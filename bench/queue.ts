// What a queue costs, and what more workers gain, on made-up images of Objects365's form:
//
// - a run by one worker of a queue against the same run by one process, from the command to its end: by the clock, and in
//   time of processors, which other work on the machine does not change
// - four workers against one on the part that takes the processor: shards that were read before, from the first to the last
//
// Needs redis-server on the PATH and the compiled command (npm run build).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkServer, queueServer } from '../src/queue/index.js';
import { queueOf } from '../src/queue/queues.js';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '2' } },
});
const IMAGES = Number(values.images);
const ROUNDS = Number(values.rounds);
const MANY = 4;
const MAX_RATIO = 1.05;
const PORT = 20_000 + (process.pid % 20_000);
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
const url = `redis://127.0.0.1:${PORT}`;
const server = queueServer(url);

if (spawnSync('redis-server', ['--version']).status !== 0) fail('redis-server is not installed');
if (!existsSync(main)) fail('there is no compiled command; npm run build makes it');

const redis = spawn('redis-server', ['--port', String(PORT), '--bind', '127.0.0.1', '--dir', folder, '--save', '']);
const children = new Set<ChildProcess>([redis]);
let outs = 0;
try {
  const [annotations, captions] = [join(folder, 'annotations.json'), join(folder, 'captions.json')];
  const generator = fileURLToPath(new URL('./generate-objects365.ts', import.meta.url));
  const files = ['--out', annotations, '--captions', captions];
  spawnSync(process.execPath, ['--import', 'tsx', generator, '--images', String(IMAGES), ...files], {
    stdio: 'inherit',
  });
  for (let tries = 0; ; tries++) {
    if (
      await checkServer(server).then(
        () => true,
        () => tries > 50,
      )
    )
      break;
    await sleep(100);
  }
  const run = ['run', 'objects365', '--annotations', annotations, '--captions', captions, '--parser-threads', '0'];
  run.push('--shard-records', '250', '--quiet');

  const plain = { clock: Number.POSITIVE_INFINITY, processor: Number.POSITIVE_INFINITY };
  const queued = { ...plain };
  const keep = (best: typeof plain, clock: number, processor: number) => {
    best.clock = Math.min(best.clock, clock);
    best.processor = Math.min(best.processor, processor);
  };
  const part = new Map([
    [1, Number.POSITIVE_INFINITY],
    [MANY, Number.POSITIVE_INFINITY],
  ]);
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await relflow([...run, '--out', out()]);
    keep(plain, alone.clock, alone.processor);
    const worker = await workers(1, []);
    const { clock, processor } = await relflow([...run, '--out', out(), '--queue', url]);
    keep(queued, clock, processor + (await end(worker)));
    for (const [count, best] of part) part.set(count, Math.min(best, await processorPart(count, run)));
  }
  const [one, many] = [part.get(1)!, part.get(MANY)!];
  console.log(`${IMAGES} images, ${availableParallelism()} processors, the best of ${ROUNDS}`);
  const ratio = queued.clock / plain.clock;
  const processors = queued.processor / plain.processor;
  console.log(`one process          ${plain.clock.toFixed(1)} s, ${plain.processor.toFixed(1)} s of processors`);
  console.log(`queue, one worker    ${queued.clock.toFixed(1)} s, ${queued.processor.toFixed(1)} s of processors`);
  console.log(
    `                     ratio ${ratio.toFixed(3)} against one process, limit ${MAX_RATIO}; of processors ${processors.toFixed(3)}`,
  );
  console.log(`shards, one worker   ${one.toFixed(1)} s`);
  console.log(`shards, ${MANY} workers    ${many.toFixed(1)} s   ratio ${(one / many).toFixed(2)} against one worker`);
  if (ratio > MAX_RATIO) process.exitCode = 1;
} finally {
  for (const child of children) {
    if (child === redis) child.kill('SIGKILL');
    else process.kill(-child.pid!, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Seconds from the first to the last shard, with everything read and all workers ready before. */
async function processorPart(count: number, run: readonly string[]): Promise<number> {
  const cpu = queueOf(server, 'cpu');
  const target = out();
  try {
    await cpu.pause();
    const reader = await workers(1, ['--only', 'source']);
    const submitter = start([...run, '--out', target, '--queue', url]);
    while (!existsSync(join(target, '.relflow/extent.json'))) await sleep(50);
    await end(reader);
    const crowd = await workers(count, ['--only', 'cpu,finish']);
    await cpu.resume();
    const begun = performance.now();
    while ((await cpu.getJobCountByTypes('waiting', 'active', 'prioritized')) > 0) await sleep(20);
    const took = (performance.now() - begun) / 1000;
    await submitter.ended;
    await end(crowd);
    JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'));
    return took;
  } finally {
    await cpu.close();
  }
}

/** Starts workers and waits until they are ready. */
async function workers(count: number, args: readonly string[]): Promise<ReturnType<typeof start>[]> {
  const crowd = Array.from({ length: count }, () => start(['worker', '--queue', url, ...args]));
  await Promise.all(crowd.map(({ ready }) => ready));
  return crowd;
}

/** Ends workers; the seconds of processors that they took. */
async function end(crowd: readonly ReturnType<typeof start>[]): Promise<number> {
  for (const { child } of crowd) process.kill(-child.pid!, 'SIGTERM');
  const took = await Promise.all(crowd.map(({ ended }) => ended));
  return took.reduce((sum, one) => sum + one, 0);
}

function start(args: readonly string[]) {
  // The shell says in the end what its child took of the processors.
  const timed = 'trap : TERM; TIMEFORMAT="took %U %S"; time "$0" "$@"';
  const child = spawn('bash', ['-c', timed, process.execPath, main, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  children.add(child);
  let said = '';
  const ready = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('ready for')) resolve();
    });
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('close', (code) => {
      children.delete(child);
      const [, user, system] = /took ([\d.]+) ([\d.]+)/.exec(said) ?? [];
      if (user !== undefined) resolve(Number(user) + Number(system));
      else reject(new Error(`relflow ${args[0]} ended with ${code}: ${said}`));
    });
  });
  return { child, ready, ended };
}

/** Seconds of a command by the clock and of processors. */
async function relflow(args: readonly string[]): Promise<{ clock: number; processor: number }> {
  const begun = performance.now();
  const processor = await start(args).ended;
  return { clock: (performance.now() - begun) / 1000, processor };
}

function out(): string {
  return join(folder, `out-${outs++}`);
}

function fail(problem: string): never {
  console.error(`queue: ${problem}`);
  process.exit(2);
}
