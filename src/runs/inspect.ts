import { InputError } from '../errors.js';
import { checkWiring } from '../graph/check-wiring.js';
import { execute } from '../graph/engine/execute.js';
import type { Graph } from '../graph/graph.js';
import type { ImageRecord } from '../records/image.js';
import type { StageCounts } from '../records/manifest.js';
import type { SourceItem } from '../records/ports.js';
import type { Reject } from '../records/reject.js';
import { ImageFinder } from './image-finder.js';

/** Trace of one image through a graph. */
export interface Inspection {
  /** The image's id as text. */
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
 * Runs a graph for one image and records the decisions of every stage. Writes nothing. The sources are read once to find the
 * image, and again up to it.
 *
 * @param image the image's id in any form (7, 7.0, 0007), `dataset/id` when a graph merges data sets, or its file, with or
 *   without folders and extension
 * @throws InputError when no source has that image, or several images fit; the message names some
 * @example
 * ```ts
 * import { coco, Graph, inspect } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph.from(coco({ annotations: 'instances.json' })).filter('busy', ({ detections }) => detections.length > 9);
 * const { steps } = await inspect(graph, '000000000139.jpg');
 * for (const { stage, line } of steps) console.log(stage, line);
 * ```
 */
export async function inspect(graph: Graph, image: string): Promise<Inspection> {
  checkWiring(graph);
  const isWanted = await findImage(graph, image);
  const steps: { stage: string; line: string }[] = [];
  let detections: string[] = [];
  let shown = image;
  const outcomes = execute(graph.nodes, {
    mode: 'matching',
    matches: (item) => {
      if (!isWanted(item)) return false;
      const found = item.record as ImageRecord | undefined;
      if (!found) return true;
      shown = String(found.image.id);
      detections = found.detections.map(({ category, box }, i) => `${category}#${i} [${box.join(', ')}]`);
      return true;
    },
    concurrency: 1,
    explain: (stage, line) => steps.push({ stage, line }),
  });
  for await (const { stages, rejects, writes } of outcomes) {
    const lines = writes.map(({ sink, line }) => ({ sink, value: JSON.parse(line) as unknown }));
    return { image: shown, detections, steps, stages, rejects, writes: lines };
  }
  throw new InputError(graph.name, `no image '${image}' in its sources`);
}

/** Reads the sources and returns whether an item is the image that a person names. */
async function findImage(graph: Graph, name: string): Promise<(item: SourceItem<object>) => boolean> {
  const finder = new ImageFinder(name);
  const matches = ({ record, rejects = [] }: SourceItem<object>) => {
    if (record) finder.add((record as ImageRecord).image);
    else for (const { image } of rejects) finder.addReject(image);
    return false;
  };
  const reading = execute(graph.nodes, { mode: 'matching', matches, keepStagesOpen: true });
  while (!(await reading.next()).done);
  const found = finder.found();
  if (typeof found === 'string') throw new InputError(graph.name, found);
  if (found === null)
    return ({ record, rejects = [] }) => !record && rejects.some(({ image }) => finder.isRejected(image));
  return ({ record }) => record !== undefined && ImageFinder.isSame((record as ImageRecord).image, found);
}
