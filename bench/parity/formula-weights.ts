import { sizeOf, type WeightEntry, type WeightSource } from '../../src/files/weight-source.js';

/** Weights computed by a formula from their names, so that full-size models can be checked without a weights file. */
export class FormulaWeights implements WeightSource {
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly #salt: string;

  constructor(salt: string, shapes: Iterable<{ readonly name: string; readonly shape: readonly number[] }>) {
    this.#salt = salt;
    this.name = `weights of salt '${salt}'`;
    this.entries = new Map([...shapes].map(({ name, shape }) => [name, { type: 'F32', shape }]));
  }

  read(name: string): Promise<Float32Array> {
    const { shape } = this.entries.get(name)!;
    const { offset, scale } = range(name, shape);
    const seed = hash(`${this.#salt}:${name}`);
    const values = new Float32Array(sizeOf(shape));
    for (let k = 0; k < values.length; k++) values[k] = offset + scale * (2 * draw(seed, k) - 1);
    return Promise.resolve(values);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** 32-bit FNV-1a hash of the UTF-8 bytes of a text. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** Returns draw number `index` of mulberry32, in [0, 1). */
export function draw(seed: number, index: number): number {
  const state = (seed + Math.imul(index + 1, 0x6d2b79f5)) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

/** Names of embeddings with the scale 1. */
const unitTables = [
  'level_embed',
  'query_embed.weight',
  'verb_query_embed.weight',
  'verb_tgt.weight',
  'tgt_embed.weight',
  'verb_tgt_embed.weight',
  'refpoint_embed.weight',
];

/** Range of the values of a weight: offset ± scale. */
function range(name: string, shape: readonly number[]): { readonly offset: number; readonly scale: number } {
  if (name.endsWith('running_var')) return { offset: 1, scale: 0.2 };
  if (name.endsWith('running_mean')) return { offset: 0, scale: 0.05 };
  if (name.endsWith('gamma_v') || name.endsWith('gamma_l')) return { offset: 0.25, scale: 0.05 };
  if (name.endsWith('sampling_offsets.bias')) return { offset: 0, scale: 2 };
  if (shape.length === 1) return name.endsWith('weight') ? { offset: 1, scale: 0.1 } : { offset: 0, scale: 0.05 };
  if (unitTables.some((end) => name.endsWith(end))) return { offset: 0, scale: 1 };
  if (name.includes('_embeddings.weight')) return { offset: 0, scale: 0.5 };
  return { offset: 0, scale: Math.sqrt(3 / sizeOf(shape.slice(1))) };
}
