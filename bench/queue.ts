// What a queue costs, and what more workers gain, on made-up images of Objects365's form, in medians of some rounds:
//
// - a run by one worker of a queue against the same run by one process, from the command to its end; the process, and the
//   worker with the command and the server, on one processor, so that nothing that a queue costs goes unseen
// - four workers on all processors against one worker on one, on the part that takes the processor: shards that were
//   read before, from the first to the last. Each worker is kept to one processor: left alone, a single one takes more,
//   since Node collects garbage and compiles in threads
//
//   npx tsx bench/queue.ts --images 40000 --rounds 5
//
// A second or so goes to the start of one more process and to the run's way through the queues, whatever its size: of the
// 120,000 images by default, which take a minute and a half, that is one part in a hundred.
//
// Needs redis-server on the PATH, the compiled command (npm run build) and, to keep processes to processors, taskset.
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
  options: { images: { type: 'string', default: '120000' }, rounds: { type: 'string', default: '1' } },
});
const IMAGES = Number(values.images);
const ROUNDS = Number(values.rounds);
const SHARD_RECORDS = 500;
const MANY = 4;
const MAX_RATIO = 1.05;
const PROCESSORS = availableParallelism();
const PORT = 20_000 + (process.pid % 20_000);
const CAN_PIN = spawnSync('taskset', ['--version']).status === 0;
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
const url = `redis://127.0.0.1:${PORT}`;
const server = queueServer(url);

if (spawnSync('redis-server', ['--version']).status !== 0) fail('redis-server is not installed');
if (!existsSync(main)) fail('there is no compiled command; npm run build makes it');

if (!CAN_PIN) console.error('queue: taskset is not installed: processes are not kept to processors');

const redisArgs = ['--port', String(PORT), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
const [redisProgram, ...redisRest] = [...onProcessor(0), 'redis-server', ...redisArgs];
const redis = spawn(redisProgram!, redisRest);
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
  run.push('--shard-records', String(SHARD_RECORDS), '--quiet');

  const plain: number[] = [];
  const queued: number[] = [];
  const one: number[] = [];
  const many: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    plain.push(await relflow([...run, '--out', out()]));
    const worker = await workers(1, []);
    queued.push(await relflow([...run, '--out', out(), '--queue', url]));
    await end(worker);
    one.push(await processorPart(1, run));
    many.push(await processorPart(MANY, run));
    const times = [plain, queued, one, many].map((list) => `${list.at(-1)!.toFixed(1)} s`);
    console.log(
      `round ${round}: one process ${times[0]}, queue ${times[1]}; shards by 1 ${times[2]}, by ${MANY} ${times[3]}`,
    );
  }
  const overhead = median(ratios(queued, plain));
  const gain = median(ratios(one, many));
  console.log(`${IMAGES} images, ${PROCESSORS} processors, medians of ${ROUNDS} rounds`);
  console.log(`one process          ${median(plain).toFixed(1)} s`);
  console.log(`queue, one worker    ${median(queued).toFixed(1)} s   ratio ${overhead.toFixed(3)}, limit ${MAX_RATIO}`);
  console.log(`shards, one worker   ${median(one).toFixed(1)} s`);
  console.log(
    `shards, ${MANY} workers    ${median(many).toFixed(1)} s   ratio ${gain.toFixed(2)} on ${PROCESSORS} processors`,
  );
  if (overhead > MAX_RATIO) process.exitCode = 1;
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
    while ((await cpu.getJobCountByTypes('waiting', 'active', 'prioritized')) > 0) await sleep(50);
    const took = (performance.now() - begun) / 1000;
    await submitter.ended;
    await end(crowd);
    JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'));
    return took;
  } finally {
    await cpu.close();
  }
}

/** Starts workers, each on one processor, and waits until they are ready. */
async function workers(count: number, args: readonly string[]): Promise<ReturnType<typeof start>[]> {
  const crowd = Array.from({ length: count }, (_, index) => start(['worker', '--queue', url, ...args], index));
  await Promise.all(crowd.map(({ ready }) => ready));
  return crowd;
}

async function end(crowd: readonly ReturnType<typeof start>[]): Promise<void> {
  for (const { child } of crowd) child.kill('SIGTERM');
  await Promise.all(crowd.map(({ ended }) => ended));
}

/** What keeps a command to one processor; nothing where that can't be done. */
function onProcessor(index: number): string[] {
  return CAN_PIN ? ['taskset', '--cpu-list', String(index % PROCESSORS)] : [];
}

function start(args: readonly string[], processor = 0) {
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

/** Seconds of a command by the clock. */
async function relflow(args: readonly string[]): Promise<number> {
  const begun = performance.now();
  await start(args).ended;
  return (performance.now() - begun) / 1000;
}

/** Of each round. */
function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((seconds, round) => seconds / to[round]!);
}

function median(of: readonly number[]): number {
  const sorted = [...of].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function out(): string {
  return join(folder, `out-${outs++}`);
}

function fail(problem: string): never {
  console.error(`queue: ${problem}`);
  process.exit(2);
}
