import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { digest } from '../../files/digest.js';
import type { CandidatePair } from '../../records/candidate.js';
import type { ImageRecord } from '../../records/image.js';
import type { Source, SourceContext } from '../../records/ports.js';
import type { Related, SceneGraph } from '../../records/scene-graph.js';
import { REJECTS, type RunFolder } from '../../run-folder/run-folder.js';
import { schemaLines } from '../../run-folder/schema-lines.js';
import { readGraphs } from '../../runs/read-graphs.js';
import type { NoteCounts } from '../../sinks/exports/note-counts.js';

/** A scene graph of a set with the candidates that it was chosen from; null where the set has none. */
export interface ViewRecord {
  readonly graph: SceneGraph;
  readonly candidates: readonly CandidatePair[] | null;
}

/** A set that can be looked at: a run, or annotations in any form that relflow reads. */
export interface ViewSet {
  readonly name: string;
  readonly kind: 'run' | 'set';
  /** The run's folder or the file, absolute. */
  readonly path: string;
  readonly hasCandidates: boolean;
  /** The threshold of the stage that scored the candidates; null if it is not known, or other stages drop relations too. */
  readonly threshold: number | null;
  /** A digest of the content: another one if the set has changed. */
  readonly digest: string;
  /**
   * Reads all records in the order of the set.
   * @param onShare receives the share of the input that was read, in [0, 1]
   * @param refused receives what is not in the set, by reason
   */
  read(
    onShare: (share: number) => void,
    refused: NoteCounts,
    signal: AbortSignal,
  ): AsyncGenerator<ViewRecord, void, void>;
}

type AnySource = Source<ImageRecord & Partial<Related>>;

/**
 * Opens a run.
 * @throws InputError when it has no complete shard with scene graphs
 */
export async function viewRun(folder: RunFolder): Promise<ViewSet> {
  const [state, shards, manifest] = await Promise.all([folder.state(), folder.shards(), folder.manifest()]);
  if (!state) throw new InputError(folder.path, 'not the output folder of a run');
  const sinks = new Set(state.graph.filter(({ kind }) => kind === 'sink').map(({ id }) => id));
  if (!sinks.has('scene-graphs'))
    throw new InputError(folder.path, "the run has no sink 'scene-graphs', which view shows");
  const hasCandidates = sinks.has('candidates');
  const stages = state.graph.filter(({ kind }) => kind === 'stage');
  const tag = stages.findLastIndex(({ name }) => name === 'tag');
  const threshold = tag === stages.length - 1 ? stages[tag]?.options['threshold'] : null;
  const total = shards.reduce((sum, shard) => sum + bytesOf(shard), 0);
  return {
    name: basename(resolve(folder.path)),
    kind: 'run',
    path: resolve(folder.path),
    hasCandidates,
    threshold: typeof threshold === 'number' ? threshold : null,
    digest: digest({ run: state.graph, shards, isFinished: manifest !== null }),
    async *read(onShare, refused, signal) {
      let done = 0;
      for (const shard of shards) {
        const path = (sink: string) => shard.files.find((file) => file.sink === sink)?.path;
        const [graphs, candidates, rejects] = ['scene-graphs', 'candidates', REJECTS].map(path);
        const byImage = new Map<string, readonly CandidatePair[]>();
        if (candidates !== undefined)
          for await (const set of linesOf(folder, candidates, 'candidates')) byImage.set(nameOf(set), set.candidates);
        if (rejects !== undefined)
          for await (const { reason, message } of linesOf(folder, rejects, 'reject')) refused.add(reason, message);
        if (graphs !== undefined) {
          for await (const graph of linesOf(folder, graphs, 'scene-graph')) {
            signal.throwIfAborted();
            yield { graph, candidates: hasCandidates ? (byImage.get(nameOf(graph)) ?? []) : null };
          }
        }
        done += bytesOf(shard);
        onShare(total === 0 ? 1 : done / total);
      }
    },
  };
}

const bytesOf = ({ files }: { readonly files: readonly { readonly bytes: number }[] }) =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);

const nameOf = ({ image: { dataset, id, file } }: Pick<SceneGraph, 'image'>) => JSON.stringify([dataset, id, file]);

async function* linesOf<N extends 'scene-graph' | 'candidates' | 'reject'>(folder: RunFolder, path: string, schema: N) {
  const file = folder.pathTo(path);
  await folder.checkInside(file);
  yield* schemaLines(file, schema);
}

/** Opens annotations that a source reads. */
export async function viewSource(path: string, source: AnySource): Promise<ViewSet> {
  const files = await source.files();
  const stats = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(file);
      return { file: resolve(file), size, mtimeMs };
    }),
  );
  return {
    name: basename(resolve(path)),
    kind: 'set',
    path: resolve(path),
    hasCandidates: false,
    threshold: null,
    digest: digest({ name: source.name, version: source.version, options: source.options, stats }),
    async *read(onShare, refused, signal) {
      const progress: SourceContext['progress'] = ({ done, total }) => {
        if (total !== null && total > 0) onShare(Math.min(1, done / total));
      };
      for await (const graph of readGraphs(source, refused, progress)) {
        signal.throwIfAborted();
        yield { graph, candidates: null };
      }
    },
  };
}
