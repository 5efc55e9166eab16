/** Trains the learned parser: `npm run train:parser -- DIR`, where DIR holds FACTUAL's train.csv and dev.csv. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateParser } from '../../evaluation/evaluate-parser.js';
import { goldCaptions } from '../../evaluation/gold-captions.js';
import { Heap } from '../learned/kernels/heap.js';
import { parserOf } from '../learned/learned-parser.js';
import type { NetworkSizes } from '../learned/network.js';
import { decodeModel, encodeModel, type QuantizedVectors } from '../learned/parser-model.js';
import { prepare } from './prepare.js';
import { Trainer, trainingDefaults } from './trainer.js';
import { readWordVectors } from './word-vectors.js';
import type { WordTable } from './word-table.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: 'string' },
    seed: { type: 'string' },
    hidden: { type: 'string', default: '128' },
    input: { type: 'string', default: '128' },
    pair: { type: 'string', default: '128' },
    dropout: { type: 'string' },
    rate: { type: 'string' },
    out: { type: 'string' },
    errors: { type: 'string' },
  },
});
const folder = positionals[0];
if (folder === undefined) throw new Error('train:parser: no folder, expected one with train.csv and dev.csv');

const number = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text));
const captions = [];
for await (const row of goldCaptions(join(folder, 'train.csv'), () => {})) captions.push(row);
const started = performance.now();
const note = (text: string) => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);

const { words, forms, labels, examples, leftOut } = prepare(captions);
note(`${examples.length} captions to learn from, ${leftOut} left out; ${words.length} words, ${labels.size} relation labels`);
const vectors = readWordVectors();
const sizes: NetworkSizes = {
  input: Number(values.input),
  hidden: Number(values.hidden),
  tagHidden: 64,
  pairHidden: Number(values.pair),
  attributeHidden: 64,
  labels: Math.ceil(labels.size / 8) * 8,
};
const options = {
  ...trainingDefaults,
  epochs: number(values.epochs, trainingDefaults.epochs),
  seed: number(values.seed, trainingDefaults.seed),
  dropout: number(values.dropout, trainingDefaults.dropout),
  rate: number(values.rate, trainingDefaults.rate),
};
const vocabulary = [...new Set(examples.flatMap((example) => example.words))].sort();
const trainer = new Trainer(new Heap(400 << 20), sizes, labels, vocabulary, vectors, options);
trainer.train(examples, (epoch, losses) =>
  note(`epoch ${epoch + 1}: ${Object.entries(losses).map(([name, loss]) => `${name} ${loss.toFixed(4)}`).join(', ')}`),
);
const bytes = encodeModel(
  { network: trainer.network, labels, forms, counts: words },
  quantize(trainer.words, [...new Set(['', ...vocabulary, ...vectors.keys()])], sizes.input),
);
writeFileSync(values.out ?? new URL('../learned/parser.model', import.meta.url), bytes);
note(`${(bytes.length / 1e6).toFixed(1)} MB written`);

const heap = new Heap(64 << 20);
const failed: string[] = [];
const { overall, byLength } = await evaluateParser(goldCaptions(join(folder, 'dev.csv'), () => {}), parserOf(decodeModel(bytes, heap), heap), {
  onFailed: (caption) => failed.push(JSON.stringify(caption)),
});
if (values.errors !== undefined) writeFileSync(values.errors, failed.join('\n'));
note(JSON.stringify({ overall, byLength }));

function quantize(table: WordTable, list: readonly string[], width: number): QuantizedVectors {
  const rows = new Int8Array(list.length * width);
  const scales = new Float32Array(list.length);
  list.forEach((word, n) => {
    const vector = table.ownVector(word);
    const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    scales[n] = largest / 127;
    vector.forEach((value, k) => {
      rows[n * width + k] = Math.round(value / scales[n]!);
    });
  });
  return { words: list, bytes: rows, scales };
}
