// What a queue costs, and what more workers gain, on made-up images of Objects365's form:
//
// - a run by one worker of a queue against the same run by one process, from the command to its end
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

  let plain = Number.POSITIVE_INFINITY;
  let queued = Number.POSITIVE_INFINITY;
  const part = new Map([
    [1, Number.POSITIVE_INFINITY],
    [MANY, Number.POSITIVE_INFINITY],
  ]);
  for (let round = 0; round < ROUNDS; round++) {
    plain = Math.min(plain, await seconds(() => relflow([...run, '--out', out()])));
    const worker = await workers(1, []);
    queued = Math.min(queued, await seconds(() => relflow([...run, '--out', out(), '--queue', url])));
    await end(worker);
    for (const [count, best] of part) part.set(count, Math.min(best, await processorPart(count, run)));
  }
  const [one, many] = [part.get(1)!, part.get(MANY)!];
  console.log(`${IMAGES} images, ${availableParallelism()} processors, the best of ${ROUNDS}`);
  console.log(`one process          ${plain.toFixed(1)} s`);
  console.log(
    `queue, one worker    ${queued.toFixed(1)} s   ratio ${(queued / plain).toFixed(3)} against one process, limit 1.05`,
  );
  console.log(`shards, one worker   ${one.toFixed(1)} s`);
  console.log(`shards, ${MANY} workers    ${many.toFixed(1)} s   ratio ${(one / many).toFixed(2)} against one worker`);
  if (queued / plain > 1.05) process.exitCode = 1;
} finally {
  for (const child of children) child.kill('SIGKILL');
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

async function end(crowd: readonly ReturnType<typeof start>[]): Promise<void> {
  for (const { child } of crowd) child.kill('SIGTERM');
  await Promise.all(crowd.map(({ ended }) => ended));
}

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
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
      if (code === 0 || code === null) resolve();
      else reject(new Error(`relflow ${args[0]} ended with ${code}: ${said}`));
    });
  });
  return { child, ready, ended };
}

function relflow(args: readonly string[]): Promise<void> {
  return start(args).ended;
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

function out(): string {
  return join(folder, `out-${outs++}`);
}

function fail(problem: string): never {
  console.error(`queue: ${problem}`);
  process.exit(2);
}
