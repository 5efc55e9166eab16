import { describeGraph } from '../graph/describe-graph.js';
import { execute } from '../graph/engine/execute.js';
import { RunObservations } from '../graph/engine/run-observations.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { StageCounts } from '../records/manifest.js';
import { addStages } from '../records/stage-counts.js';
import { type CategoryCoverage, categoryCoverage } from './category-coverage.js';
import { type RunSummary, summarizeRun } from './run-summary.js';

/** Default number of records of a preview. */
const RECORDS = 50;

/** What a sample of the input shows before a run. */
export interface Preview {
  /** Summary of the sample, as a run's. */
  readonly summary: RunSummary;
  /** Whether the sample is the whole input. */
  readonly isComplete: boolean;
  /** The input's categories and those that the vocabulary has no words for; null without a `match` stage. */
  readonly categories: CategoryCoverage | null;
  /** Stages and sinks that were left out, because they ask a model. */
  readonly omitted: readonly string[];
}

/** Options of `preview`. */
export interface PreviewOptions {
  /** The maximum number of records to process. Default 50. */
  readonly records?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs a graph for the first records of its input, without the stages that ask a model, and reports what would go missing. Reads
 * the sources and writes nothing.
 *
 * @throws InputError when an input cannot be used
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph, match, parse, preview } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match());
 * const { categories, summary } = await preview(graph);
 * console.log(categories?.unmatched, summary.findings);
 * ```
 */
export async function preview(
  graph: Graph,
  { records = RECORDS, signal = new AbortController().signal }: PreviewOptions = {},
): Promise<Preview> {
  const nodes = withoutModels(graph.nodes);
  const observations = new RunObservations();
  const stages: Record<string, StageCounts> = {};
  const sources = nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id);
  let seen = 0;
  let isComplete = true;
  for await (const outcome of execute(nodes, { mode: 'all', wanted: () => true, signal, observations })) {
    // Items without a record, such as rejects, do not count.
    const isRecord = sources.some((id) => outcome.stages[id]?.out === 1);
    if (isRecord && seen === records) {
      isComplete = false;
      break;
    }
    if (isRecord) seen++;
    addStages(stages, outcome.stages);
  }
  const included = new Set(nodes.map(({ id }) => id));
  const description = describeGraph(graph).filter(({ id }) => included.has(id));
  const categories = await categoryCoverage(nodes, observations.categories, signal);
  return {
    summary: summarizeRun(description, stages, { observations, categories }),
    isComplete,
    categories,
    omitted: graph.nodes.filter((node) => !included.has(node.id)).map(({ id }) => id),
  };
}

/** Returns the nodes that depend on no model: on none that sends requests, and on no tagger that looks at images. */
function withoutModels(nodes: readonly Node[]): Node[] {
  const kept = new Set<Node>();
  for (const node of nodes) {
    const { forecast = undefined, lane = 'any' } = node.kind === 'stage' ? node.spec : {};
    const asksModel = forecast !== undefined || lane === 'captions' || lane === 'tagging';
    if (!asksModel && node.inputs.every((input) => kept.has(input))) kept.add(node);
  }
  return [...kept];
}
