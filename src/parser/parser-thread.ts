import { workerData } from 'node:worker_threads';
import { RecordError } from '../errors.js';
import type { TextGraph } from '../records/text-graph.js';
import type { NeuralParserOptions } from './neural/neural-parser.js';
import { textParser } from './text-parser.js';

/** Data that a thread receives when it starts. */
export interface ParserThreadData {
  readonly parser: string;
  readonly options: NeuralParserOptions;
}

// Tinypool puts its own data before the given data.
const [, { parser: name, options }] = workerData as [unknown, ParserThreadData];
const parser = textParser(name, options);

/** The result of one caption: its graph, or why it has none. */
export type ParsedCaption = TextGraph | { readonly reason: string; readonly message: string };

/** Returns the results of captions as JSON, which is cheaper to transfer between threads than many small objects. */
export default async function parseAll(captions: readonly string[]): Promise<string> {
  const results: ParsedCaption[] = [];
  for (const caption of captions) {
    try {
      results.push(await parser.parse(caption));
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      results.push({ reason: error.reason, message: error.message });
    }
  }
  return JSON.stringify(results);
}
