/** `npm run train:parser -- DIR`: see the model card, src/text/learned/README.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateParser, type GoldCaption } from '../../evaluation/evaluate-parser.js';
import { goldCaptions } from '../../evaluation/gold-captions.js';
import { Random } from '../../records/random.js';
import { captionTokens, repairedWords } from '../learned/caption-tokens.js';
import { Kernels } from '../learned/kernels/kernels.js';
import { parserOf } from '../learned/learned-parser.js';
import { decodeModel, encodeModel } from '../learned/parser-model.js';
import { quantizeRows } from '../learned/quantized-rows.js';
import { Speller } from '../learned/speller.js';
import type { Example } from './example.js';
import { fingerprint, KeptFile } from './kept-file.js';
import { longestCaption, prepare } from './prepare.js';
import { studentBytes, studentTrainer } from './student.js';
import { teacherDefaults } from './teacher.js';
import { teach } from './teachers.js';
import { type Losses, type TrainingState, trainingDefaults } from './trainer.js';
import { Variation } from './vary.js';
import { readWordVectors } from './word-vectors.js';

const usage = `npm run train:parser -- DIR [--encoder FOLDER] [--captions FILE]…

Trains the learned parser on DIR/train.csv (columns caption and scene_graph) and scores it on DIR/dev.csv.

  --encoder FOLDER   config.json, vocab.txt and model.safetensors of all-MiniLM-L6-v2: teachers are built on it, and the
                     parser learns from them too; without it, from the CSV file alone
  --captions FILE    captions without graphs that the teachers say the meaning of: one a line, or a JSON file as COCO's
  --variations N     captions that are made of those of the CSV file, for the same (150000)
  --teachers N       (2)
  --teacher-epochs N (${teacherDefaults.epochs})
  --keep FOLDER      where the teachers' labels are kept for another run, and every training's state after each epoch: a run
                     that was cut off goes on there
  --epochs N         times that every caption is shown (${trainingDefaults.epochs}; with teachers, 8)
  --seed N           another seed, another model (${trainingDefaults.seed})
  --out FILE         where the model goes (src/text/learned/parser.model)`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    encoder: { type: 'string' },
    captions: { type: 'string' },
    variations: { type: 'string', default: '150000' },
    teachers: { type: 'string', default: '2' },
    'teacher-epochs': { type: 'string', default: `${teacherDefaults.epochs}` },
    keep: { type: 'string' },
    epochs: { type: 'string' },
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
const [variations, teachers, seed] = [wholeNumber('variations'), wholeNumber('teachers'), wholeNumber('seed')];
const teacherEpochs = wholeNumber('teacher-epochs');
const epochs = values.epochs === undefined ? (values.encoder ? 8 : trainingDefaults.epochs) : wholeNumber('epochs');
for (const file of [values.encoder && join(values.encoder, 'model.safetensors'), values.captions])
  if (file && !existsSync(file)) fail(`${file}: no such file`);

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
const vectors = readWordVectors();
const taught = values.encoder ? await learnFromTeachers(values.encoder) : [];

const vocabulary = [...new Set(examples.flatMap((example) => example.words))].sort();
const sizes = {
  input: 96,
  hidden: 128,
  tagHidden: 64,
  pairHidden: 96,
  attributeHidden: 64,
  labels: Math.ceil(labels.size / 8) * 8,
};
const options = { ...trainingDefaults, epochs, seed, ...(values.encoder ? { dropout: 0.05 } : {}) };
const trainer = studentTrainer(new Kernels(studentBytes), sizes, labels, vocabulary, vectors, options);
// What people said counts twice.
const shown = taught.length > 0 ? [...examples, ...examples, ...taught] : examples;
const checkpoint = values.keep
  ? new KeptFile<TrainingState>(join(values.keep, `${fingerprint([labels.names, sizes, options], shown)}.training`))
  : undefined;
trainer.train(shown, noteEpoch('student'), checkpoint);
const known = ['', ...new Set([...vocabulary, ...vectors.keys()])];
const ownVector = (row: number) => trainer.source.words.ownVector(known[row]!);
const bytes = encodeModel({
  sizes,
  parameters: trainer.network.parameters,
  labels,
  forms,
  counts: words,
  words: { words: known, rows: quantizeRows(known.length, sizes.input, ownVector) },
});
writeFileSync(values.out ?? new URL('../learned/parser.model', import.meta.url), bytes);
checkpoint?.remove();
note(`${(bytes.length / 1e6).toFixed(1)} MB written`);

const kernels = new Kernels(studentBytes);
const { overall, byLength } = await evaluateParser(
  goldCaptions(join(folder, 'dev.csv'), () => {}),
  parserOf(decodeModel(bytes, kernels), kernels),
);
for (const { words: range, ...scores } of [{ words: 'all', ...overall }, ...byLength])
  note(
    `${range} words: ${scores.captions} captions, Set Match ${scores.setMatch.toFixed(1)}, SPICE ${scores.spice.toFixed(1)} (exact ${scores.spiceExact.toFixed(1)})`,
  );

/** Captions that nobody drew graphs of, with what teachers make of them. */
async function learnFromTeachers(encoder: string): Promise<Example[]> {
  const varied = new Variation(examples, vectors, new Random(seed));
  const unlabelled = [
    ...(values.captions ? readCaptions(values.captions) : []),
    ...Array.from({ length: variations }, () => varied.next()),
  ];
  note(`${unlabelled.length} captions without graphs`);
  const task = {
    encoder,
    labels: labels.names,
    options: { ...teacherDefaults, epochs: teacherEpochs, seed },
    examples,
    captions: unlabelled,
  };
  const found = await teach(task, {
    count: teachers,
    keep: values.keep,
    onEpoch: (teacher, epoch, losses) => noteEpoch(`teacher ${teacher + 1}`)(epoch, losses),
  });
  note(`${found.length} captions labelled`);
  return found;
}

function readCaptions(file: string): string[][] {
  const text = readFileSync(file, 'utf8');
  const lines = file.endsWith('.json')
    ? (JSON.parse(text) as { annotations: { caption: string }[] }).annotations.map(({ caption }) => caption)
    : text.split('\n');
  const speller = new Speller(words);
  return lines
    .map((line) => repairedWords(captionTokens(line, longestCaption), speller))
    .filter((tokens) => tokens.length > 0);
}

function wholeNumber(name: 'variations' | 'teachers' | 'teacher-epochs' | 'epochs' | 'seed'): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  return fail(`--${name}: ${values[name]}, expected a whole number`);
}

function fail(problem: string): never {
  console.error(problem);
  process.exit(2);
}
