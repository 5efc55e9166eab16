import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Files } from './reader.js';
import { makeInput, readerOf } from './readers.js';
import type { FuzzReport, FuzzWork } from './worker.js';

/** CPU time of one input in seconds, and memory that reading may add in bytes. */
const maxSeconds = 5;
const maxBytes = 2 ** 30;
const checkMilliseconds = 50;

/** An input that a reader cannot bear. */
export interface Finding {
  readonly n: number;
  readonly problem: string;
  readonly files: Files;
}

/** Result of fuzzing one reader. */
export interface FuzzResult {
  readonly inputs: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
}

/** Options of `fuzzReader`. */
export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The maximum number of inputs. Default: as many as the time allows. */
  readonly inputs?: number;
  readonly folder: string;
}

/** Runs a thread until `isDone`, an input takes too long or too much memory, or the thread ends by itself. */
async function runThread(
  work: Omit<FuzzWork, 'progress'>,
  isDone: (n: number) => boolean,
): Promise<{
  readonly n: number;
  readonly refused: number;
  readonly reports: readonly FuzzReport[];
  readonly ended: string | null;
}> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  progress[0] = work.first - 1;
  const worker = new Worker(new URL('./start-worker.mjs', import.meta.url), {
    workerData: { ...work, progress } satisfies FuzzWork,
    resourceLimits: { maxOldGenerationSizeMb: maxBytes >> 20 },
  });
  const reports: FuzzReport[] = [];
  let ended: string | null = null;
  let isOver = false;
  worker.on('message', (message: FuzzReport) => reports.push(message));
  worker.on('error', (error) => (ended = `the thread ended: ${error.stack ?? error.message}`));
  worker.on('exit', () => (isOver = true));
  const memory = () => process.memoryUsage.rss();
  let current = work.first - 1;
  let startCpu = process.cpuUsage();
  let startMemory = memory();
  while (!isOver && !(progress[0]! >= work.first && isDone(progress[0]!)) && ended === null) {
    await wait(checkMilliseconds);
    const n = Atomics.load(progress, 0);
    const { user, system } = process.cpuUsage(startCpu);
    if (n !== current || n < work.first) {
      current = n;
      startCpu = process.cpuUsage();
      startMemory = memory();
    } else if ((user + system) / 1e6 > maxSeconds) ended = `takes more than ${maxSeconds} seconds`;
    if (memory() - startMemory > maxBytes) ended = `takes more than ${maxBytes} bytes`;
  }
  await worker.terminate();
  if (progress[0]! < work.first) throw new Error(`no input was read: ${ended}`);
  return { n: Atomics.load(progress, 0), refused: Atomics.load(progress, 1), reports, ended };
}

/** Gives inputs to one reader until the time is over, or three inputs have failed. Failed inputs are made smaller. */
export async function fuzzReader(name: string, { seed, seconds, inputs, folder }: FuzzOptions): Promise<FuzzResult> {
  // The time counts from the first input, because a thread takes seconds to start on a busy machine.
  let end = Number.POSITIVE_INFINITY;
  const last = inputs ?? Number.POSITIVE_INFINITY;
  const findings: Finding[] = [];
  const seen = new Set<string>();
  let refused = 0;
  let n = 0;
  while (performance.now() < end && n < last && findings.length < 3) {
    const thread = await runThread({ reader: name, folder, seed, first: n }, (at) => {
      end = Math.min(end, performance.now() + seconds * 1000);
      return performance.now() >= end || at >= last;
    });
    refused += thread.refused;
    const failed = thread.reports.map(({ n: at, problem }) => ({ n: at, problem: problem ?? '' }));
    if (thread.ended !== null) failed.push({ n: thread.n, problem: thread.ended });
    for (const { n: at, problem } of failed) {
      if (seen.has(kindOf(problem)) || findings.length >= 3) continue;
      seen.add(kindOf(problem));
      findings.push(await minimize(name, folder, { n: at, problem, files: await makeInput(readerOf(name), seed, at) }));
    }
    n = thread.n + (thread.ended === null ? 0 : 1);
  }
  rmSync(folder, { recursive: true, force: true });
  return { inputs: Math.max(0, n), refused, findings };
}

/** The first lines of a problem, without numbers, by which problems are the same. */
function kindOf(problem: string): string {
  return problem.split('\n').slice(0, 3).join('\n').replace(/\d+/g, '0').slice(0, 300);
}

/** Removes pieces of the files, from large to small, as long as the problem stays the same. */
async function minimize(reader: string, folder: string, finding: Finding): Promise<Finding> {
  let files = finding.files;
  let tries = finding.problem.startsWith('takes') ? 12 : 60;
  for (const name of Object.keys(files))
    for (let piece = files[name]!.length >> 1; piece >= 1 && tries > 0; piece >>= 1)
      for (let at = 0; at < files[name]!.length && tries > 0; tries--) {
        const bytes = files[name]!;
        const without = { ...files, [name]: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + piece)]) };
        const { reports, ended } = await runThread({ reader, folder, seed: 0, first: 0, files: without }, () => false);
        const problem = ended ?? reports[0]?.problem ?? '';
        if (kindOf(problem) === kindOf(finding.problem)) files = without;
        else at += piece;
      }
  return { ...finding, files };
}
