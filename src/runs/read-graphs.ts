import { tmpdir } from 'node:os';
import { TemporaryFolder } from '../files/spools/temporary-folder.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import type { Related, SceneGraph } from '../records/scene-graph.js';
import { sceneGraphOf } from '../sinks/scene-graph-sink.js';

/** What a source has refused, by reason: how often, and the first message. */
export type RefusedRecords = Map<string, { count: number; example: string }>;

/** Adds to what was refused for a reason; the first message stays. */
export function countRefused(refused: RefusedRecords, reason: string, count: number, example: string): void {
  const found = refused.get(reason);
  if (found) found.count += count;
  else refused.set(reason, { count, example });
}

/**
 * Reads a source as scene graphs, without a run. Records without relations have none.
 *
 * @param refused receives what the source refuses and counts; omit it when the source is read again
 * @param progress receives how far the source has been read
 */
export async function* readGraphs(
  source: Source<ImageRecord & Partial<Related & Captioned>>,
  refused: RefusedRecords = new Map(),
  progress: SourceContext['progress'] = () => {},
): AsyncGenerator<SceneGraph, void> {
  const folder = await TemporaryFolder.create(tmpdir());
  try {
    const context = { signal: new AbortController().signal, tempDir: folder.path, progress };
    for await (const { record, rejects = [], counts = {} } of source.read(context)) {
      for (const { reason, message } of rejects) countRefused(refused, reason, 1, message);
      for (const [reason, count] of Object.entries(counts)) countRefused(refused, reason, count, '');
      if (record) yield sceneGraphOf(record, []);
    }
  } finally {
    await folder.remove();
  }
}
