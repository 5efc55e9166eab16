import { InputError } from '../errors.js';
import { checkWiring } from '../graph/check-wiring.js';
import { execute } from '../graph/engine/execute.js';
import type { Graph } from '../graph/graph.js';
import type { ImageRecord } from '../records/image.js';
import type { StageCounts } from '../records/manifest.js';
import type { Reject } from '../records/reject.js';

/** Trace of one image through a graph. */
export interface Inspection {
  readonly image: string;
  readonly detections: readonly string[];
  /** Decisions of each stage with their reasons, in the order in which they were made. */
  readonly steps: readonly { readonly stage: string; readonly line: string }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
  readonly rejects: readonly Reject[];
  /** Values that sinks would write. */
  readonly writes: readonly { readonly sink: string; readonly value: unknown }[];
}

/**
 * Runs a graph for one image and records the decisions of every stage. Writes nothing.
 *
 * @param image the image's id as text, or `dataset/id` when a graph merges data sets
 * @throws InputError when no source has that image
 * @example
 * ```ts
 * import { coco, Graph, inspect } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph.from(coco({ annotations: 'instances.json' })).filter('busy', ({ detections }) => detections.length > 9);
 * const { steps } = await inspect(graph, '139');
 * for (const { stage, line } of steps) console.log(stage, line);
 * ```
 */
export async function inspect(graph: Graph, image: string): Promise<Inspection> {
  checkWiring(graph);
  const steps: { stage: string; line: string }[] = [];
  let detections: string[] = [];
  const outcomes = execute(graph.nodes, {
    mode: 'matching',
    matches: ({ record, rejects = [] }) => {
      const found = record as ImageRecord | undefined;
      if (!found) return rejects.some((reject) => String(reject.image) === image);
      if (![String(found.image.id), `${found.image.dataset}/${found.image.id}`].includes(image)) return false;
      detections = found.detections.map(({ category, box }, i) => `${category}#${i} [${box.join(', ')}]`);
      return true;
    },
    concurrency: 1,
    explain: (stage, line) => steps.push({ stage, line }),
  });
  for await (const { stages, rejects, writes } of outcomes) {
    const lines = writes.map(({ sink, line }) => ({ sink, value: JSON.parse(line) as unknown }));
    return { image, detections, steps, stages, rejects, writes: lines };
  }
  throw new InputError(graph.name, `no image '${image}' in its sources`);
}
