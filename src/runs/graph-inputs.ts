import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { checksum } from '../files/checksum.js';
import type { Graph } from '../graph/graph.js';
import type { InputFile } from '../records/manifest.js';

/** Returns the input files of a graph's sources and stages, each once. */
export async function graphInputs(graph: Graph): Promise<string[]> {
  const files = new Set<string>();
  for (const node of graph.nodes) {
    if (node.kind === 'source') for (const file of await node.source.files()) files.add(file);
    if (node.kind === 'stage') for (const file of (await node.spec.files?.()) ?? []) files.add(file);
  }
  return [...files];
}

/**
 * Reads files for their sizes and SHA-256 checksums.
 *
 * @param report called with the number of bytes read and of all bytes; an error that it throws ends the reading
 */
export async function fingerprintInputs(
  files: readonly string[],
  report: (done: number, total: number) => void,
): Promise<InputFile[]> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const inputs: InputFile[] = [];
  for (const file of files) {
    const sum = await checksum(file, (bytes) => {
      done += bytes;
      report(done, total);
    });
    inputs.push({ path: basename(file), ...sum });
  }
  return inputs;
}
