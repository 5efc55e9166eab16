/** `npm run train:parser -- DIR`: see the model card, src/parser/neural/README.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateParser, type GoldCaption } from '../src/evaluation/parser/evaluate-parser.js';
import { goldCaptions } from '../src/evaluation/parser/gold-captions.js';
import { captionTokens, correctedWords } from '../src/parser/neural/caption-tokens.js';
import { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { parserOf } from '../src/parser/neural/neural-parser.js';
import { decodeModel } from '../src/parser/neural/parser-model.js';
import { Spelling } from '../src/parser/neural/spelling.js';
import { Random } from '../src/records/random.js';
import { defaultAssistantOptions } from './assistant.js';
import { CaptionAugmenter } from './augment-captions.js';
import { CacheFile, fingerprint } from './cache-file.js';
import { fragmentsOf } from './fragments.js';
import { labelWithTeachers, type TeacherTask } from './label-with-teachers.js';
import { maxTrainingCaptionLength, prepareCaptions } from './prepare-captions.js';
import { encodeStudent, studentExamples, studentMemoryBytes, studentTrainer, vocabularyOf } from './student.js';
import { defaultTeacherOptions } from './teacher.js';
import { defaultTrainingOptions, type Losses, type TrainingState } from './trainer.js';
import type { TrainingExample } from './training-example.js';
import { readWordVectors } from './word-vectors.js';

const usage = `npm run train:parser -- DIR [--encoder FOLDER] [--captions FILE]…

Trains the learned parser on DIR/train.csv (columns caption and scene_graph) and scores it on DIR/dev.csv.

  --encoder FOLDER   config.json, vocab.txt and model.safetensors of all-MiniLM-L6-v2: teachers are built on it, and the
                     parser learns from them too; without it, from the CSV file alone
  --captions FILE    captions without graphs that the teachers say the meaning of: one a line, or a JSON file as COCO's
  --variations N     captions that are made of those of the CSV file, for the same (150000)
  --teachers N       (2)
  --teacher-epochs N (${defaultTeacherOptions.epochs})
  --assistants N     wide networks that learn from people and teachers, and label parts of the captions of FILE and more
                     captions that are made (2)
  --assistant-epochs N (${defaultAssistantOptions.epochs})
  --assistant-variations N (250000)
  --keep FOLDER      where the labels are kept for another run, and every training's state after each epoch: a run that was
                     cut off goes on there
  --epochs N         times that every caption is shown (${defaultTrainingOptions.epochs}; with teachers, 6)
  --seed N           another seed, other teachers, another model (${defaultTrainingOptions.seed})
  --student-seed N   another model of the same teachers and assistants (as --seed)
  --out FILE         where the model goes (src/parser/neural/parser.model)`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    encoder: { type: 'string' },
    captions: { type: 'string' },
    variations: { type: 'string', default: '150000' },
    teachers: { type: 'string', default: '2' },
    'teacher-epochs': { type: 'string', default: `${defaultTeacherOptions.epochs}` },
    assistants: { type: 'string', default: '2' },
    'assistant-epochs': { type: 'string', default: `${defaultAssistantOptions.epochs}` },
    'assistant-variations': { type: 'string', default: '250000' },
    keep: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string', default: `${defaultTrainingOptions.seed}` },
    'student-seed': { type: 'string' },
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
const [teacherEpochs, assistantEpochs] = [wholeNumber('teacher-epochs'), wholeNumber('assistant-epochs')];
const [assistants, assistantVariations] = [wholeNumber('assistants'), wholeNumber('assistant-variations')];
const epochs =
  values.epochs === undefined ? (values.encoder ? 6 : defaultTrainingOptions.epochs) : wholeNumber('epochs');
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
const { words, forms, labels, examples, skipped: leftOut } = prepareCaptions(captions);
note(`${examples.length} captions, ${leftOut} left out; ${words.length} words, ${labels.size} relation labels`);
const vectors = readWordVectors();
const said = values.captions && values.encoder ? readCaptions(values.captions) : [];
const byTeachers = values.encoder ? await learnFromTeachers(values.encoder) : [];
const byAssistants = byTeachers.length > 0 && assistants > 0 ? await learnFromAssistants(byTeachers) : [];

const vocabulary = vocabularyOf(examples);
const sizes = {
  input: 96,
  hidden: 128,
  tagHidden: 64,
  pairHidden: 96,
  attributeHidden: 64,
  labels: labels.width,
};
const studentSeed = values['student-seed'] === undefined ? seed : wholeNumber('student-seed');
const options = { ...defaultTrainingOptions, epochs, seed: studentSeed, ...(values.encoder ? { dropout: 0.05 } : {}) };
const trainer = studentTrainer(new ParserKernels(studentMemoryBytes), sizes, labels, vocabulary, vectors, options);
const shown = studentExamples(examples, [...byTeachers, ...byAssistants]);
const checkpoint = values.keep
  ? new CacheFile<TrainingState>(join(values.keep, `${fingerprint([labels.names, sizes, options], shown)}.training`))
  : undefined;
trainer.train(shown, noteEpoch('student'), checkpoint);
const bytes = encodeStudent(trainer, vocabulary, vectors, { labels, forms, counts: words });
writeFileSync(values.out ?? new URL('../src/parser/neural/parser.model', import.meta.url), bytes);
checkpoint?.remove();
note(`${(bytes.length / 1e6).toFixed(1)} MB written`);

const kernels = new ParserKernels(studentMemoryBytes);
const { overall, byLength } = await evaluateParser(
  goldCaptions(join(folder, 'dev.csv'), () => {}),
  parserOf(decodeModel(bytes, kernels), kernels),
);
for (const { words: range, ...scores } of [{ words: 'all', ...overall }, ...byLength])
  note(
    `${range} words: ${scores.captions} captions, Set Match ${scores.setMatch.toFixed(1)}, SPICE ${scores.spice.toFixed(1)} (exact ${scores.spiceExact.toFixed(1)})`,
  );

/** Captions that nobody drew graphs of, with what teachers make of them. */
async function learnFromTeachers(encoder: string): Promise<TrainingExample[]> {
  const captions = [...said, ...varied(examples, variations, seed)];
  note(`${captions.length} captions without graphs`);
  const options = { ...defaultTeacherOptions, epochs: teacherEpochs, seed };
  return learnFrom('teacher', teachers, { encoder, options, examples, captions });
}

/** Parts of captions, and variations of those of the CSV file and of the others, with what assistants make of them. */
async function learnFromAssistants(taught: readonly TrainingExample[]): Promise<TrainingExample[]> {
  const texts = new Set(said.map((caption) => caption.join(' ')));
  const real = taught.filter((example) => texts.has(example.words.join(' ')));
  const parts = fragmentsOf(real);
  const captions = [...parts, ...varied([...examples, ...real], assistantVariations, seed + 1)];
  note(`${captions.length} captions for assistants, of which ${parts.length} are parts of others`);
  const options = { ...defaultAssistantOptions, epochs: assistantEpochs, seed };
  return learnFrom('assistant', assistants, { options, examples: [...examples, ...taught], captions });
}

async function learnFrom(who: string, count: number, task: Omit<TeacherTask, 'labels'>): Promise<TrainingExample[]> {
  const labelled = await labelWithTeachers(
    { ...task, labels: labels.names },
    { count, cacheFolder: values.keep, onEpoch: (n, epoch, losses) => noteEpoch(`${who} ${n + 1}`)(epoch, losses) },
  );
  note(`${labelled.length} captions labelled`);
  return labelled;
}

function varied(from: readonly TrainingExample[], count: number, seed: number): string[][] {
  const variation = new CaptionAugmenter(from, vectors, new Random(seed));
  return Array.from({ length: count }, () => variation.next());
}

function readCaptions(file: string): string[][] {
  const text = readFileSync(file, 'utf8');
  const lines = file.endsWith('.json')
    ? (JSON.parse(text) as { annotations: { caption: string }[] }).annotations.map(({ caption }) => caption)
    : text.split('\n');
  const speller = new Spelling(words);
  return lines
    .map((line) => correctedWords(captionTokens(line, maxTrainingCaptionLength), speller))
    .filter((tokens) => tokens.length > 0);
}

function wholeNumber(name: Exclude<keyof typeof values, 'help'>): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  return fail(`--${name}: ${values[name]}, expected a whole number`);
}

function fail(problem: string): never {
  console.error(problem);
  process.exit(2);
}
