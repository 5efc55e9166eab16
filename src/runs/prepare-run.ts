import { mkdir, readdir, rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { OutputError } from '../errors.js';
import { digest } from '../files/digest.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeIfAbsent } from '../files/write-if-absent.js';
import { describeGraph } from '../graph/describe-graph.js';
import type { Graph } from '../graph/graph.js';
import { version } from '../package-info.js';
import type { InputFile } from '../records/manifest.js';
import type { RunState } from '../records/run-state.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { fingerprint, graphInputs } from './graph-inputs.js';

/** Records of the input in a shard, unless the run says otherwise. */
const SHARD_RECORDS = 1000;

/** What a run says of itself that decides its bytes. */
export interface RunIdentity {
  readonly pipelineOptions?: Readonly<Record<string, unknown>> | null;
  readonly shardRecords?: number;
  readonly shardBytes?: number;
  readonly gzip?: boolean;
}

/** What a run is: the graph, its options, its inputs and how it is cut. */
export function runStateOf(
  graph: Graph,
  { pipelineOptions, shardRecords = SHARD_RECORDS, shardBytes, gzip = false }: RunIdentity,
  inputs: InputFile[],
): RunState {
  return {
    format: 'relflow.run/1',
    relflow: version,
    pipeline: graph.name,
    options: pipelineOptions ? { ...pipelineOptions } : null,
    graph: describeGraph(graph),
    inputs,
    sharding: { records: shardRecords, bytes: shardBytes ?? null, gzip },
  };
}

/**
 * Reads the input files of a graph for their checksums and returns what the run is.
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
  const inputs = await fingerprint(await graphInputs(graph), (done, total) => {
    onProgress(done, total);
    signal.throwIfAborted();
  });
  return runStateOf(graph, identity, inputs);
}

/** Makes sure that the folder may become or is this run's; writes nothing. Returns whether a run is there already. */
export async function checkRunState(
  folder: RunFolder,
  state: RunState,
  resume: boolean,
  overwrite: boolean,
): Promise<boolean> {
  const found = await folder.state();
  if (found && resume) {
    const difference = runDifference(found, state);
    if (difference) throw new OutputError(folder.path, `can't resume: ${difference}`);
  } else if (found && !overwrite) {
    throw new OutputError(folder.path, 'already holds a run; use `relflow resume` to go on with it, or --overwrite');
  } else if (!found) {
    if (resume) throw new OutputError(folder.path, 'holds no run to resume');
    const names = await readdir(folder.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new OutputError(folder.path, error.code === 'ENOTDIR' ? 'not a folder' : error.message, { cause: error });
    });
    if (names.some((name) => name !== '.relflow')) {
      throw new OutputError(folder.path, 'the folder is not empty and holds no run of relflow; choose another');
    }
  }
  return found !== null;
}

/**
 * Lets several processes, on any machines, work on one run: the first one says what the run is, and the others must say
 * the same.
 *
 * @throws OutputError where the folder holds something else
 */
export async function joinRun(folder: RunFolder, state: RunState): Promise<void> {
  if (!(await folder.state())) {
    await checkRunState(folder, state, false, false);
    await wrapIoErrors(folder.path, async () => {
      await mkdir(folder.internalPathTo(), { recursive: true });
      await writeIfAbsent(folder.internalPathTo('run.json'), `${JSON.stringify(state, null, 2)}\n`);
    });
  }
  const found = await folder.state();
  const difference = found && runDifference(found, state);
  if (difference) throw new OutputError(folder.path, `can't join the run: ${difference}`);
}

/** Removes an earlier run, all but its lock, and says what the new one is. */
export async function startRun(folder: RunFolder, state: RunState): Promise<void> {
  // The marks go first: killed in between, what is left claims nothing that is no longer there.
  for (const path of [
    folder.pathTo('manifest.json'),
    folder.internalPathTo('shards'),
    folder.internalPathTo('progress.json'),
  ]) {
    await rm(path, { recursive: true, force: true });
  }
  for (const name of await readdir(folder.path)) {
    if (name !== '.relflow') await rm(folder.pathTo(name), { recursive: true, force: true });
  }
  for (const name of await readdir(folder.internalPathTo())) {
    if (folder.internalPathTo(name) !== folder.lock)
      await rm(folder.internalPathTo(name), { recursive: true, force: true });
  }
  await writeFileAtomic(folder.internalPathTo('run.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** Describes in words how a run differs from the saved one; null when it does not. */
function runDifference(saved: RunState, current: RunState): string | null {
  const otherPipeline = pipelineDifference(saved, current);
  if (otherPipeline) return otherPipeline;
  if (digest(saved.inputs) !== digest(current.inputs)) {
    const changed = current.inputs.find((input) => !saved.inputs.some((other) => digest(other) === digest(input)));
    return `the input ${changed?.path ?? 'files'} has changed since`;
  }
  return digest(saved.sharding) === digest(current.sharding) ? null : 'the shards are to be cut in another way';
}

/** Describes in words how a graph, or this version of relflow, differs from the saved run's; null when neither does. */
export function graphDifference(saved: RunState, graph: Graph): string | null {
  return pipelineDifference(saved, { relflow: version, graph: describeGraph(graph) });
}

function pipelineDifference(saved: RunState, current: Pick<RunState, 'relflow' | 'graph'>): string | null {
  if (saved.relflow !== current.relflow) return `it was begun by relflow ${saved.relflow}, this is ${current.relflow}`;
  if (digest(saved.graph) === digest(current.graph)) return null;
  const changed = current.graph.find((node, index) => digest(node) !== digest(saved.graph[index] ?? null));
  return `the pipeline or its options are not the same${changed ? `, beginning with '${changed.id}'` : ''}`;
}
