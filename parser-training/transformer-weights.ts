import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/errors.js';
import { openSafetensors } from '../src/files/open-safetensors.js';

/** Sizes of a BERT encoder. */
export interface TransformerSizes {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Width between the two linear layers of a feed-forward block. */
  readonly feedForward: number;
  readonly epsilon: number;
}

/** A pretrained BERT encoder. */
export interface TransformerWeights {
  readonly sizes: TransformerSizes;
  /** The vocabulary of word pieces in the order of their ids. */
  readonly pieces: readonly string[];
  /** Returns a tensor by its name in the file; matrices are `[outputs, inputs]`, as in PyTorch. */
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
 * Reads config.json, vocab.txt and model.safetensors of a BERT model, such as sentence-transformers/all-MiniLM-L6-v2.
 * @throws InputError for another type of model, or if model.safetensors is not valid or lacks a tensor when it is requested
 */
export async function readTransformerWeights(folder: string): Promise<TransformerWeights> {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Config;
  if (config.model_type !== 'bert')
    throw new InputError(join(folder, 'config.json'), `model_type '${config.model_type}', expected 'bert'`);
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
    if (!values) throw new InputError(path, `no tensor ${name}`);
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
