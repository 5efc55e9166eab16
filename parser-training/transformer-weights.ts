import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/errors.js';
import { openSafetensors } from '../src/files/open-safetensors.js';

/** A small BERT: what it is made of. */
export interface TransformerSizes {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Of the layer between the two linear ones. */
  readonly feedForward: number;
  readonly epsilon: number;
}

export interface TransformerWeights {
  readonly sizes: TransformerSizes;
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

/**
 * Reads a folder with config.json, vocab.txt and model.safetensors of a BERT, as sentence-transformers/all-MiniLM-L6-v2 is one.
 * @throws Error for another kind of model
 * @throws InputError where model.safetensors is no such file; where it lacks a tensor, once that is asked for
 */
export async function readTransformerWeights(folder: string): Promise<TransformerWeights> {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Config;
  if (config.model_type !== 'bert') throw new Error(`${folder}: a ${config.model_type}, expected a bert`);
  const pieces = (await readFile(join(folder, 'vocab.txt'), 'utf8')).trimEnd().split('\n');
  const path = join(folder, 'model.safetensors');
  const tensors = new Map<string, Float32Array>();
  const file = await openSafetensors(path);
  try {
    for (const name of file.entries.keys()) tensors.set(name.replace(/^bert\./, ''), await file.read(name));
  } finally {
    await file.close();
  }
  const tensor = (name: string) => {
    const values = tensors.get(name);
    if (!values) throw new InputError(path, `has no ${name}`);
    return values;
  };
  return {
    sizes: {
      hidden: config.hidden_size,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      feedForward: config.intermediate_size,
      epsilon: config.layer_norm_eps,
    },
    pieces,
    tensor,
  };
}
