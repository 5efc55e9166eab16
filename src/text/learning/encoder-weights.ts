import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A small BERT: what it is made of. */
export interface EncoderSizes {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Of the layer between the two linear ones. */
  readonly inner: number;
  readonly epsilon: number;
}

export interface EncoderWeights {
  readonly sizes: EncoderSizes;
  /** Pieces of words in the order of their ids. */
  readonly pieces: readonly string[];
  /** By their names in the file; matrices as PyTorch has them, `[outputs, inputs]`. */
  readonly tensor: (name: string) => Float32Array;
}

interface Config {
  readonly model_type: string;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly layer_norm_eps: number;
}

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Reads a folder with config.json, vocab.txt and model.safetensors of a BERT, as sentence-transformers/all-MiniLM-L6-v2 is one.
 * @throws Error for another kind of model, or where a tensor is missing or not in 32-bit floats
 */
export function readEncoder(folder: string): EncoderWeights {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
  if (config.model_type !== 'bert') throw new Error(`${folder}: a ${config.model_type}, expected a bert`);
  const pieces = readFileSync(join(folder, 'vocab.txt'), 'utf8').trimEnd().split('\n');
  const file = readFileSync(join(folder, 'model.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const entries = JSON.parse(file.toString('utf8', 8, start)) as Record<string, TensorEntry>;
  const tensor = (name: string) => {
    const entry = entries[name] ?? entries[`bert.${name}`];
    if (entry?.dtype !== 'F32') throw new Error(`${folder}: ${name} is ${entry?.dtype ?? 'missing'}, expected F32`);
    const [from, to] = entry.data_offsets;
    return new Float32Array(file.buffer.slice(file.byteOffset + start + from, file.byteOffset + start + to));
  };
  return {
    sizes: {
      hidden: config.hidden_size,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      inner: config.intermediate_size,
      epsilon: config.layer_norm_eps,
    },
    pieces,
    tensor,
  };
}
