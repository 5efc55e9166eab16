// Measures the overhead of a queue and the gain of more workers on synthetic images in the format of Objects365, as medians
// of several rounds:
//
// - a run by one queue worker against the same run by one process, from the command to its end. The process has one
//   processor; the worker, the command and the server share another, so that the full cost of the queue is counted. Both
//   run at the same time, and again with the processors swapped.
// - one worker per processor, and four workers on all processors, against a single worker, for CPU-bound work: shards whose
//   records are already read, from the first to the last. Each worker is pinned to one processor; unpinned, a single worker
//   uses more, since Node collects garbage and compiles in threads.
// - four shards at once and one at a time, in alternating turns of some seconds within one run, by warm workers.
//
//   npx tsx bench/queue.ts --images 40000 --rounds 5
//
// On a shared machine, the same work has taken a third more time a few minutes later, which changes the ratio of two runs
// as much. Only simultaneous or alternating measurements are reliable there.
//
// Starting one more process and passing the queues takes about a second for a run of any size: one percent of the default
// 120,000 images, which take a minute and a half.
//
// Each worker loads its parser and compiles its code, about three seconds of CPU time: a twentieth of a minute's work for
// one worker and a fifth for four, but negligible for all of Objects365. The alternating turns exclude it.
//
// Needs redis-server on the PATH, the compiled command (npm run build) and, to pin processes to processors, taskset.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkServer, queueServer } from '../src/queue/index.js';
import { openQueue, type ShardQueue } from '../src/queue/queues.js';
import { CAN_PIN, end, killAll, main, move, PROCESSORS, start, startServer, startWorkers } from './queue-processes.js';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '120000' }, rounds: { type: 'string', default: '1' } },
});
const IMAGES = Number(values.images);
const ROUNDS = Number(values.rounds);
const SHARD_RECORDS = 500;
const SHARDS = Math.ceil(IMAGES / SHARD_RECORDS);
const MANY = 4;
const MAX_RATIO = 1.05;
const TURN_MILLISECONDS = 3000;
/** Share of the shards that are processed before the first turn. */
const WARM = 1 / 4;
const PORT = 20_000 + (process.pid % 20_000);
const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
const url = `redis://127.0.0.1:${PORT}`;
const server = queueServer(url);

if (spawnSync('redis-server', ['--version']).status !== 0) fail('redis-server is not installed');
if (!existsSync(main)) fail('the compiled command is missing; run npm run build');
if (!CAN_PIN) console.error('queue: taskset is not installed: processes are not pinned to processors');

const redis = startServer(PORT, folder);
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
  run.push('--shard-records', String(SHARD_RECORDS), '--quiet');

  const plain: number[] = [];
  const queued: number[] = [];
  const bySize = new Map([1, PROCESSORS, MANY].map((size) => [size, [] as number[]]));
  const gains: number[] = [];
  const read = await readSources(run);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const plainOn of [0, 1]) {
      const times = await sideBySide(run, plainOn);
      plain.push(times.plain);
      queued.push(times.queued);
    }
    move(redis, 0);
    for (const [size, times] of bySize) times.push(await withShards(read, run, size, wholeTime));
    gains.push(...(await withShards(read, run, MANY, gainInTurns)));
    const runs = [0, 1].map((pass) => {
      const [alone, queue] = [plain, queued].map((times) => seconds([times.at(pass - 2)!]));
      return `one process ${alone}, queue ${queue}`;
    });
    const shards = [...bySize].map(([size, times]) => `by ${size} ${seconds(times.slice(-1))}`);
    console.log(`round ${round}: ${runs.join('; swapped ')}; shards ${shards.join(', ')}`);
  }
  const overhead = median(ratios(queued, plain));
  console.log(`${IMAGES} images, ${PROCESSORS} processors, medians of ${ROUNDS} rounds`);
  console.log(`one process          ${seconds(plain)}`);
  console.log(`queue, one worker    ${seconds(queued)}   ratio ${overhead.toFixed(3)}, limit ${MAX_RATIO}`);
  for (const [size, times] of bySize) {
    const gain = `ratio ${median(ratios(bySize.get(1)!, times)).toFixed(2)} on ${PROCESSORS} processors`;
    console.log(`shards, ${`${size} worker${size > 1 ? 's' : ''}`.padEnd(12)} ${seconds(times)}   ${gain}`);
  }
  if (gains.length === 0) console.log('in turns             too few images to measure');
  else {
    const [least, most] = [Math.min(...gains), Math.max(...gains)].map((gain) => gain.toFixed(2));
    console.log(
      `in turns, ${MANY} to 1     ratio ${median(gains).toFixed(2)} (${least} to ${most}, ${gains.length} times)`,
    );
  }
  if (overhead > MAX_RATIO) process.exitCode = 1;
} finally {
  killAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Measures the seconds of a run by one process and by one queue worker; sequentially on a single processor. */
async function sideBySide(run: readonly string[], plainOn: number): Promise<{ plain: number; queued: number }> {
  const queueOn = 1 - plainOn;
  const alone = () => relflow([...run, '--out', out()], plainOn);
  const plain = CAN_PIN && PROCESSORS > 1 ? null : await alone();
  move(redis, queueOn);
  const worker = await startWorkers(1, url, [], queueOn);
  const times = await Promise.all([plain ?? alone(), relflow([...run, '--out', out(), '--queue', url], queueOn)]);
  await end(worker);
  return { plain: times[0], queued: times[1] };
}

/** Makes the folder of a run whose records are read and not yet processed; its jobs are in a separate database. */
async function readSources(run: readonly string[]): Promise<string> {
  const [target, elsewhere] = [out(), `${url}/1`];
  const reader = await startWorkers(1, elsewhere, ['--only', 'source']);
  await relflow([...run, '--out', target, '--queue', elsewhere, '--detach']);
  while (!existsSync(join(target, '.relflow/extent.json'))) await sleep(50);
  await end(reader);
  return target;
}

/** Measures workers that are ready to process shards whose records are already read. */
async function withShards<T>(
  read: string,
  run: readonly string[],
  size: number,
  measure: (cpu: ShardQueue) => Promise<T>,
): Promise<T> {
  const cpu = openQueue(server, 'cpu');
  const target = out();
  cpSync(read, target, { recursive: true });
  // Otherwise the disk is busy with the copy, and a processor with the disk.
  spawnSync('sync');
  try {
    await cpu.pause();
    const reader = await startWorkers(1, url, ['--only', 'source']);
    const submitter = start([...run, '--out', target, '--queue', url]);
    while ((await cpu.getWaitingCount()) < SHARDS) await sleep(50);
    await end(reader);
    const crowd = await startWorkers(size, url, ['--only', 'cpu,finish']);
    await cpu.resume();
    const measured = await measure(cpu);
    await submitter.ended;
    await end(crowd);
    JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'));
    return measured;
  } finally {
    await cpu.close();
    rmSync(target, { recursive: true, force: true });
  }
}

/** Measures the seconds from the first shard to the last. */
async function wholeTime(cpu: ShardQueue): Promise<number> {
  const started = performance.now();
  while ((await shardsLeft(cpu)) > 0) await sleep(50);
  return (performance.now() - started) / 1000;
}

/** Measures the speedup of turns with many shards at once over the neighboring turns with one at a time. */
async function gainInTurns(cpu: ShardQueue): Promise<number[]> {
  while ((await shardsLeft(cpu)) > SHARDS * (1 - WARM)) await sleep(50);
  const turns: { atOnce: number; from: number; to: number }[] = [];
  for (let atOnce = 1; ; atOnce = atOnce === 1 ? MANY : 1) {
    await cpu.setGlobalConcurrency(atOnce);
    while ((await cpu.getActiveCount()) !== atOnce && (await shardsLeft(cpu)) >= MANY) await sleep(20);
    const from = Date.now();
    await sleep(TURN_MILLISECONDS);
    // When fewer shards than workers are left, some workers were idle.
    if ((await shardsLeft(cpu)) < MANY) break;
    turns.push({ atOnce, from, to: Date.now() });
  }
  await cpu.removeGlobalConcurrency();
  while ((await shardsLeft(cpu)) > 0) await sleep(50);
  const ends = (await cpu.getCompleted()).map((job) => job.finishedOn!).sort((a, b) => a - b);
  const speeds = turns.map(({ from, to }) => {
    const within = ends.filter((at) => at >= from && at <= to);
    return (within.length - 1) / (within.at(-1)! - within[0]!);
  });
  return speeds.flatMap((speed, turn) => {
    const [before, after] = [speeds[turn - 1], speeds[turn + 1]];
    return turns[turn]!.atOnce === 1 ? [] : [speed / ((before! + (after ?? before!)) / 2)];
  });
}

function shardsLeft(cpu: ShardQueue): Promise<number> {
  return cpu.getJobCountByTypes('waiting', 'active', 'prioritized');
}

/** Measures the wall-clock seconds of a command. */
async function relflow(args: readonly string[], processor = 0): Promise<number> {
  const started = performance.now();
  await start(args, processor).ended;
  return (performance.now() - started) / 1000;
}

/** Returns the ratios of values that were measured together. */
function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((time, index) => time / to[index]!);
}

function median(of: readonly number[]): number {
  const sorted = [...of].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function seconds(times: readonly number[]): string {
  return `${median(times).toFixed(1)} s`;
}

function out(): string {
  return join(folder, `out-${outs++}`);
}

function fail(problem: string): never {
  console.error(`queue: ${problem}`);
  process.exit(2);
}
