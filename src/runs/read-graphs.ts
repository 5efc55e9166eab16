import { tmpdir } from 'node:os';
import { TemporaryFolder } from '../files/spools/temporary-folder.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import type { Related, SceneGraph } from '../records/scene-graph.js';
import { NoteCounts } from '../sinks/exports/note-counts.js';
import { sceneGraphOf } from '../sinks/scene-graph-sink.js';

/**
 * Reads a source as scene graphs, without a run. Records without relations have none.
 *
 * @param refused receives what the source refuses and counts; omit it when the source is read again
 * @param progress receives how far the source has been read
 */
export async function* readGraphs(
  source: Source<ImageRecord & Partial<Related & Captioned>>,
  refused = new NoteCounts(),
  progress: SourceContext['progress'] = () => {},
): AsyncGenerator<SceneGraph, void> {
  const folder = await TemporaryFolder.create(tmpdir());
  try {
    const context = { signal: new AbortController().signal, tempDir: folder.path, progress };
    for await (const { record, rejects = [], counts = {} } of source.read(context)) {
      for (const { reason, message } of rejects) refused.add(reason, message);
      for (const [reason, count] of Object.entries(counts)) refused.add(reason, '', count);
      if (record) yield sceneGraphOf(record, []);
    }
  } finally {
    await folder.remove();
  }
}
