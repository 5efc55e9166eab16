import { RecordError } from '../errors.js';
import { closeStages } from '../graph/engine/close-stages.js';
import { execute } from '../graph/engine/execute.js';
import { upstreamNodes } from '../graph/engine/upstream-nodes.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { addForecasts, NO_REQUESTS } from '../records/add-forecasts.js';
import type { Forecast } from '../records/ports.js';

/** Requests that a stage will still send to a model. */
export interface StageForecast {
  readonly stage: string;
  /** Records that reach the stage. */
  readonly records: number;
  /** Records that it would reject before any request, such as those without an image file. */
  readonly rejected: number;
  /** Null when it depends on answers that do not exist yet. */
  readonly forecast: Forecast | null;
}

/** Options of `forecast`. */
interface ForecastOptions {
  readonly signal?: AbortSignal;
  /** Called after each record with the number of records examined, over all stages. */
  readonly onProgress?: (records: number) => void;
}

/**
 * Forecasts the requests that each stage of a graph will still send to models, with their tokens and cost. Reads the
 * sources and runs the stages before; sends no requests and writes nothing.
 *
 * @example
 * ```ts
 * import { caption, coco, forecast, Graph, hfChat } from 'relflow';
 *
 * const graph = new Graph('captions');
 * const captioner = hfChat({ model: 'Qwen/Qwen2.5-VL-7B-Instruct', images: 'train2017' });
 * graph.from(coco({ annotations: 'instances.json' })).pipe(caption(captioner));
 * for (const { stage, forecast: requests } of await forecast(graph)) console.log(stage, requests?.missing);
 * ```
 */
export async function forecast(graph: Graph, options: ForecastOptions = {}): Promise<StageForecast[]> {
  const forecasts: StageForecast[] = [];
  let seen = 0;
  const onProgress = () => options.onProgress?.(++seen);
  try {
    for (const node of graph.nodes) {
      if (node.kind !== 'stage' || !node.spec.forecast) continue;
      const preceding = upstreamNodes(graph, node.inputs[0]!);
      const depends = preceding.some((other) => other.kind === 'stage' && other.spec.forecast);
      forecasts.push(
        depends
          ? { stage: node.id, records: 0, rejected: 0, forecast: null }
          : await forecastStage(node, preceding, { ...options, onProgress }),
      );
    }
    return forecasts;
  } finally {
    await closeStages(graph.nodes);
  }
}

async function forecastStage(
  node: Node & { kind: 'stage' },
  preceding: readonly Node[],
  { signal = new AbortController().signal, onProgress }: ForecastOptions,
): Promise<StageForecast> {
  let sum = NO_REQUESTS;
  let records = 0;
  let rejected = 0;
  const outcomes = execute(preceding, { mode: 'collect', node: node.inputs[0]!, signal, keepStagesOpen: true });
  for await (const { collected } of outcomes) {
    for (const record of collected) {
      records++;
      onProgress?.(records);
      try {
        sum = addForecasts(sum, await node.spec.forecast!(record, signal));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        rejected++;
      }
    }
  }
  return { stage: node.id, records, rejected, forecast: sum };
}
