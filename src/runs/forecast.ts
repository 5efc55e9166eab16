import { RecordError } from '../errors.js';
import { closeStages, execute } from '../graph/engine/execute.js';
import { upstream } from '../graph/engine/stream-records.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { addForecasts, NO_REQUESTS } from '../records/add-forecasts.js';
import type { Forecast } from '../records/ports.js';

/** What a stage that asks a model will still ask. */
export interface StageForecast {
  readonly stage: string;
  /** Records that come to the stage. */
  readonly records: number;
  /** Records that it would refuse before it asks anything, such as those without an image file. */
  readonly rejected: number;
  /** Null where that depends on answers which are not there yet. */
  readonly forecast: Forecast | null;
}

interface ForecastOptions {
  readonly signal?: AbortSignal;
  /** Told often how many records were looked at, over all stages. */
  readonly onProgress?: (records: number) => void;
}

/**
 * Says what the stages of a graph will still ask of models, and at what cost. Reads the sources and whatever stands
 * before such a stage, but asks nobody and writes nothing.
 */
export async function forecast(graph: Graph, options: ForecastOptions = {}): Promise<StageForecast[]> {
  const forecasts: StageForecast[] = [];
  let seen = 0;
  const onProgress = () => options.onProgress?.(++seen);
  try {
    for (const node of graph.nodes) {
      if (node.kind !== 'stage' || !node.spec.forecast) continue;
      const before = upstream(graph, node.inputs[0]!);
      const depends = before.some((other) => other.kind === 'stage' && other.spec.forecast);
      forecasts.push(
        depends
          ? { stage: node.id, records: 0, rejected: 0, forecast: null }
          : await forecastStage(node, before, { ...options, onProgress }),
      );
    }
    return forecasts;
  } finally {
    await closeStages(graph.nodes);
  }
}

async function forecastStage(
  node: Node & { kind: 'stage' },
  before: readonly Node[],
  { signal = new AbortController().signal, onProgress }: ForecastOptions,
): Promise<StageForecast> {
  let sum = NO_REQUESTS;
  let records = 0;
  let refused = 0;
  const outcomes = execute(before, { mode: 'collect', node: node.inputs[0]!, signal, keepStagesOpen: true });
  for await (const { collected } of outcomes) {
    for (const record of collected) {
      records++;
      onProgress?.(records);
      try {
        sum = addForecasts(sum, await node.spec.forecast!(record, signal));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        refused++;
      }
    }
  }
  return { stage: node.id, records, rejected: refused, forecast: sum };
}
