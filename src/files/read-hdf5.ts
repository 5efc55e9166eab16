import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError, RelflowError } from '../errors.js';
import { loadHdf5 } from './load-hdf5.js';

/** A table of whole numbers, row by row. */
export interface IntegerTable {
  readonly rows: number;
  readonly columns: number;
  readonly values: Int32Array;
}

/** The first bytes of an HDF5 file. */
const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/** More numbers than this in one data set are refused; Visual Genome's largest has 11 million. */
const maxNumbers = 1 << 26;

/**
 * Reads data sets of whole numbers from the top level of an HDF5 file, each with one or two dimensions, into memory.
 *
 * @returns the data sets in the order of `names`
 * @throws InputError if the file is not HDF5, or lacks a data set, or one is not of whole numbers of 32 bits
 * @throws RelflowError (`missing-package`) when the optional package `h5wasm` is not installed
 */
export async function readHdf5<const N extends readonly string[]>(
  file: string,
  names: N,
): Promise<{ [K in keyof N]: IntegerTable }> {
  await checkSignature(file);
  const hdf5 = await loadHdf5(`${file}: reading HDF5`);
  const opened = attempt(file, 'cannot be read as HDF5', () => new hdf5.File(resolve(file), 'r'));
  try {
    return names.map((name) => {
      const found = attempt(file, `the data set '${name}' cannot be read`, () =>
        opened.keys().includes(name) ? opened.get(name) : null,
      );
      if (!(found instanceof hdf5.Dataset)) {
        const others = opened.keys().slice(0, 20).join(', ');
        throw new InputError(file, `has no data set '${name}', found ${others === '' ? 'none' : others}`);
      }
      return attempt(file, `the data set '${name}' cannot be read`, () => integerTable(file, name, found));
    }) as { [K in keyof N]: IntegerTable };
  } finally {
    opened.close();
  }
}

interface NumericDataset {
  readonly shape: readonly number[] | null;
  readonly value: unknown;
}

function integerTable(file: string, name: string, dataset: NumericDataset): IntegerTable {
  const shape = dataset.shape ?? [];
  const [rows = 0, columns = 1] = shape;
  const found = `the data set '${name}' has the shape [${shape.join(', ')}]`;
  if (shape.length < 1 || shape.length > 2) throw new InputError(file, `${found}, expected one or two dimensions`);
  if (rows * columns > maxNumbers) throw new InputError(file, `${found}, expected at most ${maxNumbers} numbers`);
  // An empty data set has no storage, which HDF5 cannot read.
  const read = rows * columns === 0 ? [] : dataset.value;
  const numbers = ArrayBuffer.isView(read) ? (read as unknown as ArrayLike<number | bigint>) : null;
  const values = new Int32Array(rows * columns);
  for (let k = 0; k < values.length; k++) {
    const number = Number(numbers?.[k]);
    values[k] = number;
    if (values[k] !== number)
      throw new InputError(
        file,
        `the data set '${name}' has ${numbers === null ? 'no numbers' : number} at place ${k}, expected whole numbers of 32 bits`,
      );
  }
  return { rows, columns, values };
}

async function checkSignature(file: string): Promise<void> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(signature.length), 0, signature.length, 0);
    if (bytesRead < signature.length || !buffer.equals(signature))
      throw new InputError(file, 'is not an HDF5 file (.h5)');
  } finally {
    await handle.close();
  }
}

function attempt<T>(file: string, problem: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RelflowError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(file, `${problem}: ${reason.split('\n', 1)[0]}`, undefined, { cause });
  }
}
