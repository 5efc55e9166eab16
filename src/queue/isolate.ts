import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { RecordError, RelflowError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { type ShardFate, workShard } from '../graph/work-shard.js';
import type { ImageRecord } from '../records/image.js';
import type { RunFolder } from '../sinks/run-folder.js';

/** Which phase of which shard. */
export interface ShardPhase {
  readonly shard: number;
  readonly phase: number;
}

/** What the process of an isolated shard is told. */
export interface IsolatedShard extends ShardPhase {
  /** The file in which it notes the position of the record that it is about to work on. */
  readonly crumb: string;
  /** Positions of the records that are to be refused, and how each ended its process. */
  readonly refused: Readonly<Record<number, string>>;
}

/** What the process says in the end. */
type Said = { readonly fate: ShardFate } | { readonly error: string };

/** A record is to blame when so many processes ended on it. */
const CRASHES = 2;
/** A shard with more such records is not worth the time. */
const MAX_REFUSED = 100;

/**
 * Does a shard in a process of its own, one record after another. Where the process ends by itself, the record that it
 * was working on is tried once more; after that it is refused, as `process-crashed`, and the others are done without it.
 *
 * @param command the module and the arguments of a process that calls `answerIsolated` with what it is sent
 * @throws RelflowError where the process can't do the shard, or ends before its first record
 */
export async function isolateShard(
  command: readonly [module: string, ...args: string[]],
  folder: RunFolder,
  { shard, phase }: ShardPhase,
  signal: AbortSignal,
): Promise<ShardFate> {
  const crumb = folder.inner('partial', `crumb-${randomUUID()}`);
  await mkdir(folder.inner('partial'), { recursive: true });
  const crashes = new Map<number, number>();
  const refused: Record<number, string> = {};
  try {
    for (;;) {
      const { said, end } = await runChild(command, { shard, phase, crumb, refused }, signal);
      signal.throwIfAborted();
      if (said && 'fate' in said) return said.fate;
      if (said) throw new RelflowError('bad-shard', `shard ${shard}: ${said.error}`);
      const ordinal = Number.parseInt(await readFile(crumb, 'utf8').catch(() => ''), 10);
      await rm(crumb, { force: true });
      if (Number.isNaN(ordinal)) {
        throw new RelflowError('bad-shard', `shard ${shard}: its process ended with ${end} before the first record`);
      }
      crashes.set(ordinal, (crashes.get(ordinal) ?? 0) + 1);
      if (crashes.get(ordinal) === CRASHES) refused[ordinal] = end;
      if (Object.keys(refused).length > MAX_REFUSED) {
        throw new RelflowError(
          'bad-shard',
          `shard ${shard}: more than ${MAX_REFUSED} of its records end their process`,
        );
      }
    }
  } finally {
    await rm(crumb, { force: true });
  }
}

async function runChild(
  [module, ...args]: readonly [string, ...string[]],
  task: IsolatedShard,
  signal: AbortSignal,
): Promise<{ said: Said | null; end: string }> {
  const child: ChildProcess = fork(module, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  let said: Said | null = null;
  child.on('message', (message) => {
    said = message as Said;
  });
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, by) => resolve({ said, end: by ?? `exit code ${code}` }));
      child.send(task);
    });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** The other end of `isolateShard`: does the shard and says what became of it. */
export async function answerIsolated(
  graph: Graph,
  folder: RunFolder,
  { shard, phase, crumb, refused }: IsolatedShard,
): Promise<Said> {
  const state = await folder.state();
  if (!state) return { error: 'the run is gone' };
  const file = openSync(crumb, 'w');
  try {
    const fate = await workShard(
      graph,
      folder,
      state,
      { shard, phase },
      {
        signal: new AbortController().signal,
        // Written before the record is touched, since the process may not live to say anything.
        beforeEach: ({ ordinal }) => writeSync(file, `${ordinal} `.padEnd(20), 0),
        refuse: ({ ordinal, parked }) => {
          const how = refused[ordinal];
          if (how === undefined) return null;
          const id = (parked[0]?.record as Partial<ImageRecord> | undefined)?.image?.id;
          return new RecordError('process-crashed', `image ${id} ended its process ${CRASHES} times (${how})`);
        },
      },
    );
    return { fate };
  } catch (error) {
    return { error: (error as Error).message };
  } finally {
    closeSync(file);
  }
}
