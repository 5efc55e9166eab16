import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { RecordError, RelflowError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import type { Graph } from '../graph/graph.js';
import type { ImageRecord } from '../records/image.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { processShard, type ShardPhase, type ShardResult } from '../runs/process-shard.js';
import { RECORD_TIMEOUT_SECONDS } from './record-timeout.js';

/** Task of the process that handles an isolated shard. */
export interface IsolatedShard extends ShardPhase {
  /** File in which it writes the position of the record that it is about to process. */
  readonly positionFile: string;
  /** Records to reject unprocessed, by position in the input. */
  readonly rejected: Readonly<Record<number, Rejection>>;
}

/** Reason for rejecting a record. */
interface Rejection {
  readonly reason: 'process-crashed' | 'record-timeout';
  /** End of the reject's message: what happened at each attempt. */
  readonly how: string;
}

/** End of a child process. */
interface ChildExit {
  /** Null when it ended without a reply. */
  readonly reply: ShardReply | null;
  /** Its signal or exit code. */
  readonly how: string;
  /** True when it was killed because a record took too long. */
  readonly timedOut: boolean;
}

/** Options of `isolateShard`. */
export interface IsolateOptions {
  /** Kills the process. */
  readonly signal: AbortSignal;
  /** A record that takes longer is tried once more and then rejected. Default 900. */
  readonly recordTimeoutSeconds?: number;
}

/** Message that the process sends at its end. */
type ShardReply = { readonly result: ShardResult } | { readonly error: string };

/** A record is rejected after it has ended this many processes. */
const MAX_ATTEMPTS = 2;
/** Time that a process has to load the models and files of the graph. */
const START_SECONDS = 300;
const POLL_MILLISECONDS = 250;
/** A shard with more rejected records fails. */
const MAX_REJECTED = 100;

/**
 * Processes a shard in a separate process, one record after another. When the process crashes, or a record takes too
 * long, that record is tried once more and then rejected as `process-crashed` or `record-timeout`, and the other records
 * are processed without it.
 *
 * @param command module and arguments of a process that passes the message it receives to `serveIsolatedShard` and sends
 *   the result back
 * @throws RelflowError `bad-shard` when the process reports an error, or ends before its first record; the signal's reason
 *   once it is aborted
 */
export async function isolateShard(
  command: readonly [module: string, ...args: string[]],
  folder: RunFolder,
  { shard, phase }: ShardPhase,
  { signal, recordTimeoutSeconds = RECORD_TIMEOUT_SECONDS }: IsolateOptions,
): Promise<ShardResult> {
  const positionFile = folder.internalPath('partial', `position-${randomUUID()}`);
  await makeFolder(folder.internalPath('partial'));
  const attempts = new Map<number, number>();
  const rejected: Record<number, Rejection> = {};
  try {
    for (;;) {
      const { reply, how, timedOut } = await runChild(
        command,
        { shard, phase, positionFile, rejected },
        recordTimeoutSeconds,
        signal,
      );
      signal.throwIfAborted();
      if (reply && 'result' in reply) return reply.result;
      if (reply) throw new RelflowError('bad-shard', `shard ${shard}: ${reply.error}`);
      const ordinal = await readPosition(positionFile);
      await rm(positionFile, { force: true });
      if (ordinal === null) {
        throw new RelflowError('bad-shard', `shard ${shard}: its process ended with ${how} before the first record`);
      }
      attempts.set(ordinal, (attempts.get(ordinal) ?? 0) + 1);
      if (attempts.get(ordinal) === MAX_ATTEMPTS) {
        rejected[ordinal] = timedOut
          ? { reason: 'record-timeout', how: `did not finish within ${recordTimeoutSeconds} s, ${MAX_ATTEMPTS} times` }
          : { reason: 'process-crashed', how: `crashed its process ${MAX_ATTEMPTS} times (${how})` };
      }
      if (Object.keys(rejected).length > MAX_REJECTED) {
        throw new RelflowError(
          'bad-shard',
          `shard ${shard}: more than ${MAX_REJECTED} of its records crash their process or take too long`,
        );
      }
    }
  } finally {
    await rm(positionFile, { force: true });
  }
}

/** Reads the position of the record that a process is working on; null before the first one. */
async function readPosition(positionFile: string): Promise<number | null> {
  const ordinal = Number.parseInt(await readFile(positionFile, 'utf8').catch(() => ''), 10);
  return Number.isNaN(ordinal) ? null : ordinal;
}

/** Runs one child process until it ends; kills it when a record takes too long. */
async function runChild(
  [module, ...args]: readonly [string, ...string[]],
  task: IsolatedShard,
  recordTimeoutSeconds: number,
  signal: AbortSignal,
): Promise<ChildExit> {
  const child: ChildProcess = fork(module, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  let reply: ShardReply | null = null;
  let timedOut = false;
  child.on('message', (message) => {
    reply = message as ShardReply;
  });
  // Polled from outside: a record that blocks its process would also block a timer in it.
  let position: number | null = null;
  let since = performance.now();
  const poll = setInterval(async () => {
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
      child.on('close', (code, killedBy) => resolve({ reply, how: killedBy ?? `exit code ${code}`, timedOut }));
      child.send(task);
    });
  } finally {
    clearInterval(poll);
    signal.removeEventListener('abort', kill);
  }
}

/** Processes the shard of a task from `isolateShard`, in the child process, and returns the message to send back. */
export async function serveIsolatedShard(
  graph: Graph,
  folder: RunFolder,
  { shard, phase, positionFile, rejected }: IsolatedShard,
): Promise<ShardReply> {
  const state = await folder.state();
  if (!state) return { error: 'the folder no longer contains a run' };
  const file = openSync(positionFile, 'w');
  try {
    const result = await processShard(
      graph,
      folder,
      state,
      { shard, phase },
      {
        signal: new AbortController().signal,
        // Written before the record is processed, since the record may crash the process.
        beforeEach: ({ ordinal }) => writeSync(file, `${ordinal} `.padEnd(20), 0),
        rejection: ({ ordinal, pending }) => {
          const rejection = rejected[ordinal];
          if (!rejection) return null;
          const id = (pending[0]?.record as Partial<ImageRecord> | undefined)?.image?.id;
          return new RecordError(rejection.reason, `image ${id} ${rejection.how}`);
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
