import { workerData } from 'node:worker_threads';
import { textParser } from './text-parser.js';
import type { ParserThreadData } from './threaded-parser.js';

// The pool puts data of its own before what it was given.
const [, { parser: name, options }] = workerData as [unknown, ParserThreadData];
const parser = textParser(name, options);

/** The graphs of captions, as JSON: cheaper to send than so many small objects. */
export default async function parseAll(captions: readonly string[]): Promise<string> {
  const graphs = [];
  for (const caption of captions) graphs.push(await parser.parse(caption));
  return JSON.stringify(graphs);
}
