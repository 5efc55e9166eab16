import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/records/random.js';

export const tinyEncoderSizes = { hidden: 16, layers: 2, heads: 2, inner: 32 };

const pieces = [
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '-',
  '##s',
  ...'abcdefghijklmnopqrstuvwxyz'.split('').flatMap((letter) => [letter, `##${letter}`]),
];

/** Writes a BERT model with random weights to a folder. @param words words with a piece of their own */
export function writeTinyEncoder(folder: string, words: readonly string[]): void {
  const { hidden, layers, heads, inner } = tinyEncoderSizes;
  const vocabulary = [...pieces, ...words];
  const shapes: [name: string, shape: number[]][] = [
    ['embeddings.word_embeddings.weight', [vocabulary.length, hidden]],
    ['embeddings.position_embeddings.weight', [512, hidden]],
    ['embeddings.token_type_embeddings.weight', [2, hidden]],
    ['embeddings.LayerNorm.weight', [hidden]],
    ['embeddings.LayerNorm.bias', [hidden]],
  ];
  for (let n = 0; n < layers; n++) {
    const layer = `encoder.layer.${n}`;
    const linear = (name: string, outputs: number, inputs: number) =>
      shapes.push([`${layer}.${name}.weight`, [outputs, inputs]], [`${layer}.${name}.bias`, [outputs]]);
    for (const part of ['query', 'key', 'value']) linear(`attention.self.${part}`, hidden, hidden);
    linear('attention.output.dense', hidden, hidden);
    linear('intermediate.dense', inner, hidden);
    linear('output.dense', hidden, inner);
    for (const norm of ['attention.output.LayerNorm', 'output.LayerNorm'])
      shapes.push([`${layer}.${norm}.weight`, [hidden]], [`${layer}.${norm}.bias`, [hidden]]);
  }
  const random = new Random(2);
  let end = 0;
  const entries: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = {};
  const chunks: Buffer[] = [];
  for (const [name, shape] of shapes) {
    const length = shape.reduce((product, size) => product * size, 1);
    const mean = name.endsWith('LayerNorm.weight') ? 1 : 0;
    chunks.push(Buffer.from(Float32Array.from({ length }, () => mean + 0.3 * random.normal()).buffer));
    entries[name] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * length] };
    end += 4 * length;
  }
  const head = Buffer.from(JSON.stringify(entries));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([size, head, ...chunks]));
  writeFileSync(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`);
  const config = {
    model_type: 'bert',
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: inner,
    layer_norm_eps: 1e-12,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}
