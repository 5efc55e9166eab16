import { lstat, readdir } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { OutputError } from '../errors.js';
import { listNames } from '../files/list-names.js';
import { makeFolder } from '../files/make-folder.js';
import { isS3Address, readS3Address } from '../files/s3/s3-address.js';
import { syncFolder } from '../files/sync-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeIfAbsent } from '../files/write-if-absent.js';
import { describeGraph } from '../graph/describe-graph.js';
import type { Graph } from '../graph/graph.js';
import { version } from '../package-info.js';
import type { InputFile } from '../records/manifest.js';
import type { RunState } from '../records/run-state.js';
import { checkNoLinks, checkOnlyRun, removeRun } from '../run-folder/run-entries.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { finisherFiles } from './finisher-files.js';
import { fingerprintInputs, graphInputs } from './graph-inputs.js';
import { runDifference } from './run-difference.js';
import { endedByBadResult, isReplaceable } from './run-report.js';
import { recordStart } from './started-runs.js';

/** Default number of records of the input in a shard. */
const SHARD_RECORDS = 1000;

/** Options of a run that determine its output bytes. */
export interface RunIdentity {
  readonly pipelineOptions?: Readonly<Record<string, unknown>> | null;
  readonly shardRecords?: number;
  readonly shardBytes?: number;
  readonly gzip?: boolean;
}

/**
 * Returns the state that identifies a run: the graph, its options, its inputs and its sharding.
 * @throws OptionError when an option is an address of a store with credentials
 */
export function runStateOf(
  graph: Graph,
  { pipelineOptions, shardRecords = SHARD_RECORDS, shardBytes, gzip = false }: RunIdentity,
  inputs: InputFile[],
): RunState {
  const options = pipelineOptions ? { ...pipelineOptions } : null;
  // They are saved: an address with credentials, at any depth, must fail before.
  JSON.stringify(options, (_, value: unknown) => {
    if (typeof value === 'string' && isS3Address(value)) readS3Address(value);
    return value;
  });
  return {
    format: 'relflow.run/1',
    relflow: version,
    pipeline: graph.name,
    options,
    graph: describeGraph(graph),
    inputs,
    sharding: { records: shardRecords, bytes: shardBytes ?? null, gzip },
  };
}

/**
 * Reads the input files of a graph for their checksums and returns the state that identifies the run.
 *
 * @param onProgress called with the number of bytes read and of all bytes
 * @throws InputError when a file is missing or cannot be read; the signal's reason once it is aborted
 */
export async function identifyRun(
  graph: Graph,
  identity: RunIdentity,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<RunState> {
  const inputs = await fingerprintInputs(await graphInputs(graph), (done, total) => {
    onProgress(done, total);
    signal.throwIfAborted();
  });
  return runStateOf(graph, identity, inputs);
}

/**
 * Checks that a folder contains this run, or may become its folder. Writes nothing.
 *
 * @returns whether the folder contains a run
 * @throws OutputError when the folder contains something else
 */
export async function checkRunState(
  folder: RunFolder,
  state: RunState,
  resume: boolean,
  overwrite: boolean,
): Promise<boolean> {
  const found = await folder.state();
  await checkNoLinks(folder, resume ? finisherFiles(found?.graph) : []);
  if (found && resume) {
    const difference = runDifference(found, state);
    if (difference) throw new OutputError(folder.path, `cannot resume the run: ${difference}`);
  } else if (found && !overwrite && !(await hasNothingOfUse(folder))) {
    throw new OutputError(
      folder.path,
      'already contains a run; continue it with `relflow resume`, or replace it with --overwrite',
    );
  } else if (found) {
    if ((await lstat(folder.path)).isSymbolicLink())
      throw new OutputError(folder.path, 'is a link, and a run is never replaced through one; give the folder itself');
    await checkOnlyRun(folder, finisherFiles(found.graph));
  } else {
    if (resume) throw new OutputError(folder.path, 'contains no run to resume');
    const names = await readdir(folder.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new OutputError(folder.path, error.code === 'ENOTDIR' ? 'not a folder' : error.message, { cause: error });
    });
    if (names.some((name) => name !== '.relflow')) {
      throw new OutputError(
        folder.path,
        'the folder is not empty and contains no run of relflow; choose another folder',
      );
    }
    await checkOnlyRun(folder, []);
  }
  return found !== null;
}

/**
 * Resolves to whether a run has produced nothing, so that another one may replace it: it is finished and its output has nothing
 * of use, it ended before its first record, or its own code returned what it must not. A run on which several processes work is never replaced.
 */
async function hasNothingOfUse(folder: RunFolder): Promise<boolean> {
  if (await folder.isFinished()) return isReplaceable(folder);
  if (await folder.extent()) return false;
  const shared = ['queue.json', 'work'];
  const names = await listNames(folder.internalPath());
  if (names.some((name) => shared.includes(name))) return false;
  if ((await listNames(folder.internalPath('tmp'))).some((name) => name.startsWith('part-'))) return false;
  if (await endedByBadResult(folder)) return true;
  if ((await folder.completeShards()).size > 0) return false;
  return ((await folder.progress())?.records ?? 0) === 0;
}

/**
 * Joins a run that several processes, on any machines, work on. The first process writes the state; the state of the
 * others must be the same.
 *
 * @throws OutputError when the folder contains something else
 */
export async function joinRun(folder: RunFolder, state: RunState): Promise<void> {
  await checkNoLinks(folder, finisherFiles(state.graph));
  await recordStart(state);
  if (!(await folder.state())) {
    await checkRunState(folder, state, false, false);
    await wrapIoErrors(folder.path, async () => {
      await makeFolder(folder.internalPath());
      await writeIfAbsent(folder.internalPath('run.json'), `${JSON.stringify(state, null, 2)}\n`);
    });
  }
  const found = await folder.state();
  const difference = found && runDifference(found, state);
  if (difference) throw new OutputError(folder.path, `cannot join the run: ${difference}`);
}

/** Removes what an earlier run wrote, except its lock, and writes the state of the new one. */
export async function startRun(folder: RunFolder, state: RunState): Promise<void> {
  await removeRun(folder, finisherFiles((await folder.state())?.graph));
  await recordStart(state);
  await writeFileAtomic(folder.internalPath('run.json'), `${JSON.stringify(state, null, 2)}\n`);
  await syncFolder(folder.internalPath());
  await syncFolder(folder.path);
}
