import type { Heap } from './kernels/heap.js';
import {
  allocateParameters,
  Network,
  type NetworkSizes,
  type ParameterName,
  parameterShapes,
} from './network.js';
import { NormalForms } from './normal-forms.js';
import { RelationLabels } from './relation-labels.js';
import type { WordCount } from './speller.js';

/** All that training found out, ready to be used. */
export interface ParserModel {
  readonly network: Network;
  readonly labels: RelationLabels;
  readonly forms: NormalForms;
  /** How often training saw a word: for the repair of spelling. */
  readonly counts: readonly WordCount[];
  /** What is known of a word beside its form; the same for all unknown words. `[input]` */
  vectorOf(word: string): Float32Array;
}

/** Words → their vectors as signed bytes, `[words, input]`, and what each row's bytes are multiplied with; first unknown words. */
export interface QuantizedVectors {
  readonly words: readonly string[];
  readonly bytes: Int8Array;
  readonly scales: Float32Array;
}

interface Header {
  readonly format: 'relflow-parser/1';
  readonly sizes: NetworkSizes;
  readonly labels: readonly string[];
  readonly entities: readonly (readonly [string, string | null])[];
  readonly attributes: readonly (readonly [string, string])[];
  readonly counts: readonly WordCount[];
  readonly words: readonly string[];
}

/** Everything in one file: the length of the head, the head as JSON, floats, bytes. Little-endian. */
export function encodeModel(
  { network, labels, forms, counts }: Omit<ParserModel, 'vectorOf'>,
  vectors: QuantizedVectors,
): Uint8Array {
  const header: Header = {
    format: 'relflow-parser/1',
    sizes: network.sizes,
    labels: labels.names,
    entities: [...forms.entities],
    attributes: [...forms.attributes],
    counts,
    words: vectors.words,
  };
  const head = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((4 - (head.length % 4)) % 4, ' ');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length + padding.length);
  const parameters = (Object.keys(parameterShapes(network.sizes)) as ParameterName[]).map(
    (name) => network.parameters[name],
  );
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int8Array) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  return Buffer.concat([length, head, padding, ...[...parameters, vectors.scales, vectors.bytes].map(bytesOf)]);
}

/** @throws Error where the bytes are not those of a model of this version */
export function decodeModel(bytes: Uint8Array, heap: Heap): ParserModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headLength = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headLength))) as Header;
  if (head.format !== 'relflow-parser/1') throw new Error(`parser model: unknown format ${head.format}`);
  let at = 4 + headLength;
  const floats = (to: Float32Array) => {
    for (let k = 0; k < to.length; k++, at += 4) to[k] = view.getFloat32(at, true);
    return to;
  };
  const parameters = allocateParameters(heap, head.sizes);
  for (const name of Object.keys(parameterShapes(head.sizes)) as ParameterName[]) floats(parameters[name]);
  const scales = floats(new Float32Array(head.words.length));
  const { input } = head.sizes;
  const rows = new Int8Array(bytes.buffer, bytes.byteOffset + at, head.words.length * input);
  if (bytes.length !== at + rows.length) throw new Error('parser model: truncated');
  const rowOf = new Map(head.words.map((word, row) => [word, row]));
  return {
    network: new Network(heap, head.sizes, parameters),
    labels: new RelationLabels(head.labels),
    forms: new NormalForms(new Map(head.entities), new Map(head.attributes)),
    counts: head.counts,
    vectorOf(word) {
      const row = rowOf.get(word) ?? 0;
      return Float32Array.from(rows.subarray(row * input, (row + 1) * input), (byte) => byte * scales[row]!);
    },
  };
}
