import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { RecordError, RelflowError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { ImageRecord } from '../records/image.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { processShard, type ShardPhase, type ShardResult } from '../runs/process-shard.js';
import { RECORD_TIMEOUT_SECONDS } from './record-timeout.js';

/** What the process of an isolated shard is told. */
export interface IsolatedShard extends ShardPhase {
  /** The file in which it notes the position of the record that it is about to work on. */
  readonly positionFile: string;
  /** The records that are to be refused, by position. */
  readonly rejected: Readonly<Record<number, Rejection>>;
}

/** Why a record is refused. */
interface Rejection {
  readonly reason: 'process-crashed' | 'record-timeout';
  /** What it did, each time that it was tried. */
  readonly how: string;
}

/** How a process ended. */
interface ChildExit {
  readonly reply: ShardReply | null;
  readonly how: string;
  /** Whether it was ended because a record took too long. */
  readonly timedOut: boolean;
}

export interface IsolateOptions {
  readonly signal: AbortSignal;
  /** A record that takes longer is refused. Default 900. */
  readonly recordTimeoutSeconds?: number;
}

/** What the process says in the end. */
type ShardReply = { readonly result: ShardResult } | { readonly error: string };

/** A record is to blame when so many processes ended on it. */
const MAX_ATTEMPTS = 2;
/** Until a process has loaded what the graph needs. */
const START_SECONDS = 300;
const POLL_MILLISECONDS = 250;
/** A shard with more such records is not worth the time. */
const MAX_REJECTED = 100;

/**
 * Does a shard in a process of its own, one record after another. Where the process ends by itself, or a record takes too
 * long, that record is tried once more; after that it is refused, as `process-crashed` or `record-timeout`, and the
 * others are done without it.
 *
 * @param command the module and the arguments of a process that calls `answerIsolated` with what it is sent
 * @throws RelflowError where the process can't do the shard, or ends before its first record
 */
export async function isolateShard(
  command: readonly [module: string, ...args: string[]],
  folder: RunFolder,
  { shard, phase }: ShardPhase,
  { signal, recordTimeoutSeconds = RECORD_TIMEOUT_SECONDS }: IsolateOptions,
): Promise<ShardResult> {
  const crumb = folder.internalPathTo('partial', `crumb-${randomUUID()}`);
  await mkdir(folder.internalPathTo('partial'), { recursive: true });
  const attempts = new Map<number, number>();
  const refused: Record<number, Rejection> = {};
  try {
    for (;;) {
      const {
        reply: said,
        how,
        timedOut,
      } = await runChild(
        command,
        { shard, phase, positionFile: crumb, rejected: refused },
        recordTimeoutSeconds,
        signal,
      );
      signal.throwIfAborted();
      if (said && 'result' in said) return said.result;
      if (said) throw new RelflowError('bad-shard', `shard ${shard}: ${said.error}`);
      const ordinal = await readPosition(crumb);
      await rm(crumb, { force: true });
      if (ordinal === null) {
        throw new RelflowError('bad-shard', `shard ${shard}: its process ended with ${how} before the first record`);
      }
      attempts.set(ordinal, (attempts.get(ordinal) ?? 0) + 1);
      if (attempts.get(ordinal) === MAX_ATTEMPTS) {
        refused[ordinal] = timedOut
          ? { reason: 'record-timeout', how: `did not end within ${recordTimeoutSeconds} s, ${MAX_ATTEMPTS} times` }
          : { reason: 'process-crashed', how: `ended its process ${MAX_ATTEMPTS} times (${how})` };
      }
      if (Object.keys(refused).length > MAX_REJECTED) {
        throw new RelflowError(
          'bad-shard',
          `shard ${shard}: more than ${MAX_REJECTED} of its records end their process or take too long`,
        );
      }
    }
  } finally {
    await rm(crumb, { force: true });
  }
}

/** The position of the record that a process was working on; null before the first one. */
async function readPosition(crumb: string): Promise<number | null> {
  const ordinal = Number.parseInt(await readFile(crumb, 'utf8').catch(() => ''), 10);
  return Number.isNaN(ordinal) ? null : ordinal;
}

async function runChild(
  [module, ...args]: readonly [string, ...string[]],
  task: IsolatedShard,
  recordTimeoutSeconds: number,
  signal: AbortSignal,
): Promise<ChildExit> {
  const child: ChildProcess = fork(module, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  let said: ShardReply | null = null;
  let timedOut = false;
  child.on('message', (message) => {
    said = message as ShardReply;
  });
  // A record that keeps its process from doing anything else keeps it from saying so, too.
  let position: number | null = null;
  let since = performance.now();
  const look = setInterval(async () => {
    const now = await readPosition(task.positionFile);
    if (now !== position) since = performance.now();
    position = now;
    const limit = position === null ? Math.max(START_SECONDS, recordTimeoutSeconds) : recordTimeoutSeconds;
    if (performance.now() - since < limit * 1000) return;
    timedOut = true;
    kill();
  }, POLL_MILLISECONDS);
  try {
    return await new Promise<ChildExit>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, by) => resolve({ reply: said, how: by ?? `exit code ${code}`, timedOut }));
      child.send(task);
    });
  } finally {
    clearInterval(look);
    signal.removeEventListener('abort', kill);
  }
}

/** The other end of `isolateShard`: does the shard and says what became of it. */
export async function serveIsolatedShard(
  graph: Graph,
  folder: RunFolder,
  { shard, phase, positionFile: crumb, rejected: refused }: IsolatedShard,
): Promise<ShardReply> {
  const state = await folder.state();
  if (!state) return { error: 'the run is gone' };
  const file = openSync(crumb, 'w');
  try {
    const result = await processShard(
      graph,
      folder,
      state,
      { shard, phase },
      {
        signal: new AbortController().signal,
        // Written before the record is touched, since the process may not live to say anything.
        beforeEach: ({ ordinal }) => writeSync(file, `${ordinal} `.padEnd(20), 0),
        rejection: ({ ordinal, pending }) => {
          const refusal = refused[ordinal];
          if (!refusal) return null;
          const id = (pending[0]?.record as Partial<ImageRecord> | undefined)?.image?.id;
          return new RecordError(refusal.reason, `image ${id} ${refusal.how}`);
        },
      },
    );
    return { result };
  } catch (error) {
    return { error: (error as Error).message };
  } finally {
    closeSync(file);
  }
}
