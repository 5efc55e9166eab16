import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeIfAbsent } from '../files/write-if-absent.js';
import type { RunFolder } from './run-folder.js';

/** Writes the number of records of the input, from which `finishRun` knows how many shards there must be. */
export async function writeExtent(folder: RunFolder, records: number): Promise<void> {
  const text = `${JSON.stringify({ format: 'relflow.extent/1', records })}\n`;
  await wrapIoErrors(folder.path, () => writeIfAbsent(folder.internalPath('extent.json'), text));
}
