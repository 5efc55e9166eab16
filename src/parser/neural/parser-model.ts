import { allocateParameters } from './allocate-parameters.js';
import type { ParserKernels } from './kernels/parser-kernels.js';
import { type NetworkSizes, type ParameterName, type Parameters, parameterShapes } from './network-parameters.js';
import { NormalForms } from './normal-forms.js';
import { type QuantizedRows, quantizeRows, readRow } from './quantized-rows.js';
import { RelationLabels } from './relation-labels.js';
import type { WordCount } from './spelling.js';
import { affixRows } from './word-inputs.js';

/** A trained model, decoded. */
export interface ParserModel {
  readonly sizes: NetworkSizes;
  readonly parameters: Parameters;
  readonly labels: RelationLabels;
  readonly forms: NormalForms;
  /** How often each word occurs in the training captions: for the correction of spelling. */
  readonly counts: readonly WordCount[];
  readonly words: WordVectors;
}

/** Vectors of words, without those of their affixes and shape. */
export interface WordVectors {
  /** The first word is empty and stands for all unknown words. */
  readonly words: readonly string[];
  readonly rows: QuantizedRows;
}

interface Header {
  readonly format: typeof format;
  readonly sizes: NetworkSizes;
  readonly labels: readonly string[];
  readonly entities: readonly (readonly [string, string | null])[];
  readonly attributes: readonly (readonly [string, string])[];
  readonly counts: readonly WordCount[];
  readonly words: readonly string[];
}

const format = 'relflow-parser/2';

/** Returns the names of the parameters that are stored as floats; `affixes` is stored as bytes. */
const floatNames = (sizes: NetworkSizes) =>
  (Object.keys(parameterShapes(sizes)) as ParameterName[]).filter((name) => name !== 'affixes');

/**
 * Encodes a model as one file: the length of its header in four bytes, the header as JSON, then floats and bytes in a fixed
 * order, all little-endian.
 */
export function encodeModel({ sizes, parameters, labels, forms, counts, words }: ParserModel): Uint8Array {
  const header: Header = {
    format,
    sizes,
    labels: labels.names,
    entities: [...forms.entities],
    attributes: [...forms.attributes],
    counts,
    words: words.words,
  };
  const json = Buffer.from(JSON.stringify(header));
  // Floats start at a multiple of four.
  const padded = Buffer.concat([json, Buffer.alloc((4 - (json.length % 4)) % 4, ' ')]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(padded.length);
  const affixes = quantizeRows(affixRows, sizes.input, (row) =>
    parameters.affixes.subarray(row * sizes.input, (row + 1) * sizes.input),
  );
  const arrays = [
    ...floatNames(sizes).map((name) => parameters[name]),
    affixes.scales,
    words.rows.scales,
    affixes.bytes,
    words.rows.bytes,
  ];
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int8Array) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  return Buffer.concat([length, padded, ...arrays.map(bytesOf)]);
}

/**
 * Decodes a model file.
 * @param kernels whose memory holds the parameters
 * @throws Error for a model of another format
 */
export function decodeModel(bytes: Uint8Array, kernels: ParserKernels): ParserModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerEnd = 4 + view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, headerEnd))) as Header;
  if (header.format !== format) throw new Error(`parser model: format '${header.format}', expected '${format}'`);
  const { sizes } = header;
  let at = headerEnd;
  const floats = (to: Float32Array) => {
    for (let k = 0; k < to.length; k++, at += 4) to[k] = view.getFloat32(at, true);
    return to;
  };
  const parameters = allocateParameters(kernels, sizes);
  for (const name of floatNames(sizes)) floats(parameters[name]);
  // Padding labels never win.
  parameters.labelBias.fill(-1e4, header.labels.length);
  const scales = [floats(new Float32Array(affixRows)), floats(new Float32Array(header.words.length))] as const;
  const rows = (count: number, rowScales: Float32Array): QuantizedRows => {
    const values = new Int8Array(bytes.buffer, bytes.byteOffset + at, count * sizes.input);
    at += values.length;
    return { width: sizes.input, bytes: values, scales: rowScales };
  };
  const affixes = rows(affixRows, scales[0]);
  for (let row = 0; row < affixRows; row++) readRow(affixes, row, parameters.affixes, row * sizes.input);
  return {
    sizes,
    parameters,
    labels: new RelationLabels(header.labels),
    forms: new NormalForms(new Map(header.entities), new Map(header.attributes)),
    counts: header.counts,
    words: { words: header.words, rows: rows(header.words.length, scales[1]) },
  };
}
