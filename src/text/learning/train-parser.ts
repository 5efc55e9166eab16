/** `npm run train:parser -- DIR`: see the model card, src/text/learned/README.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateParser, type GoldCaption } from '../../evaluation/evaluate-parser.js';
import { goldCaptions } from '../../evaluation/gold-captions.js';
import { Kernels } from '../learned/kernels/kernels.js';
import { parserOf } from '../learned/learned-parser.js';
import { decodeModel, encodeModel } from '../learned/parser-model.js';
import { quantizeRows } from '../learned/quantized-rows.js';
import { crossFit } from './cross-fit.js';
import { prepare } from './prepare.js';
import { type Losses, Trainer, trainingBytes, trainingDefaults } from './trainer.js';
import { readWordVectors } from './word-vectors.js';

const usage = `npm run train:parser -- DIR [--folds N] [--epochs N] [--seed N] [--out FILE]

Trains the learned parser on DIR/train.csv (columns caption and scene_graph) and scores it on DIR/dev.csv.

  --folds N    networks that teach the last one, each without a part of the captions; 0 for none (4)
  --epochs N   times that every caption is shown (${trainingDefaults.epochs})
  --seed N     another seed, another model (${trainingDefaults.seed})
  --out FILE   where the model goes (src/text/learned/parser.model)`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    folds: { type: 'string', default: '4' },
    epochs: { type: 'string', default: `${trainingDefaults.epochs}` },
    seed: { type: 'string', default: `${trainingDefaults.seed}` },
    out: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const [folder] = positionals;
if (values.help || folder === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const [folds, epochs, seed] = [wholeNumber('folds'), wholeNumber('epochs'), wholeNumber('seed')];

const started = performance.now();
const note = (text: string) =>
  console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
const noteEpoch = (who: string) => (epoch: number, losses: Losses) =>
  note(
    `${who}, epoch ${epoch + 1}: ${Object.entries(losses)
      .map(([name, loss]) => `${name} ${loss.toFixed(3)}`)
      .join(', ')}`,
  );

const captions: GoldCaption[] = [];
for await (const caption of goldCaptions(join(folder, 'train.csv'), ({ line, problem }) =>
  note(`line ${line}: ${problem}`),
))
  captions.push(caption);
const { words, forms, labels, examples, leftOut } = prepare(captions);
note(`${examples.length} captions, ${leftOut} left out; ${words.length} words, ${labels.size} relation labels`);
const vocabulary = [...new Set(examples.flatMap((example) => example.words))].sort();
const sizes = {
  input: 96,
  hidden: 96,
  tagHidden: 64,
  pairHidden: 96,
  attributeHidden: 64,
  labels: Math.ceil(labels.size / 8) * 8,
};
const options = { ...trainingDefaults, epochs, seed };
const taught =
  folds === 0
    ? examples
    : await crossFit(examples, { sizes, labels: labels.names, vocabulary, options }, folds, (fold, epoch, losses) =>
        noteEpoch(`teacher ${fold + 1}`)(epoch, losses),
      );

const vectors = readWordVectors();
const trainer = new Trainer(new Kernels(trainingBytes), sizes, labels, vocabulary, vectors, options);
trainer.train(taught, noteEpoch('student'));
const known = ['', ...new Set([...vocabulary, ...vectors.keys()])];
const bytes = encodeModel({
  network: trainer.network,
  labels,
  forms,
  counts: words,
  words: { words: known, rows: quantizeRows(known.length, sizes.input, (row) => trainer.words.ownVector(known[row]!)) },
});
writeFileSync(values.out ?? new URL('../learned/parser.model', import.meta.url), bytes);
note(`${(bytes.length / 1e6).toFixed(1)} MB written`);

const kernels = new Kernels(trainingBytes);
const { overall, byLength } = await evaluateParser(
  goldCaptions(join(folder, 'dev.csv'), () => {}),
  parserOf(decodeModel(bytes, kernels), kernels),
);
for (const { words: range, ...scores } of [{ words: 'all', ...overall }, ...byLength])
  note(
    `${range} words: ${scores.captions} captions, Set Match ${scores.setMatch.toFixed(1)}, SPICE ${scores.spice.toFixed(1)} (exact ${scores.spiceExact.toFixed(1)})`,
  );

function wholeNumber(name: 'folds' | 'epochs' | 'seed'): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`--${name}: ${values[name]}, expected a whole number`);
  process.exit(2);
}
