import { workerData } from 'node:worker_threads';
import { textParser } from './text-parser.js';
import type { ParserThreadData } from './threaded-parser.js';

// Tinypool puts its own data before the given data.
const [, { parser: name, options }] = workerData as [unknown, ParserThreadData];
const parser = textParser(name, options);

/** Returns the graphs of captions as JSON, which is cheaper to transfer between threads than many small objects. */
export default async function parseAll(captions: readonly string[]): Promise<string> {
  const graphs = [];
  for (const caption of captions) graphs.push(await parser.parse(caption));
  return JSON.stringify(graphs);
}
