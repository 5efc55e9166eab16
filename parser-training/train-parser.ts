/** Trains the neural parser: `npm run train:parser -- DIR`, see the model card, src/parser/neural/README.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { evaluateParser, type GoldCaption } from '../src/evaluation/parser/evaluate-parser.js';
import { goldCaptions } from '../src/evaluation/parser/gold-captions.js';
import { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { parserOf } from '../src/parser/neural/neural-parser.js';
import { decodeModel } from '../src/parser/neural/parser-model.js';
import { Spelling } from '../src/parser/neural/spelling.js';
import { Random } from '../src/records/random.js';
import { defaultAssistantOptions } from './assistant.js';
import { CaptionAugmenter } from './augment-captions.js';
import { CacheFile, fingerprint } from './cache-file.js';
import { captionTokens, correctedTokenWords } from './caption-tokens.js';
import { fitConfidence } from './fit-confidence.js';
import { fragmentsOf } from './fragments.js';
import { labelSyntax } from './label-syntax.js';
import { labelWithTeachers, type TeacherTask } from './label-with-teachers.js';
import { maxTrainingCaptionLength, prepareCaptions } from './prepare-captions.js';
import { readCaptions } from './read-captions.js';
import { syntaxSentences } from './spoken-sentences.js';
import { encodeStudent, studentExamples, studentMemoryBytes, studentTrainer, vocabularyOf } from './student.js';
import { defaultTeacherOptions } from './teacher.js';
import { trainSyntax } from './train-syntax.js';
import { defaultTrainingOptions, type Losses, type TrainingState } from './trainer.js';
import type { TrainingExample } from './training-example.js';
import { readWordVectors } from './word-vectors.js';

const usage = `npm run train:parser -- DIR [--encoder FOLDER] [--captions FILE]…
       npm run train:parser -- DIR --syntax [--python PYTHON] [--captions FILE]… [--keep FOLDER]
       npm run train:parser -- --confidence

Trains the neural parser on DIR/train.csv (columns caption and scene_graph), fits the confidence of its relations to
judged-captions.csv and development-captions.csv, and scores it on DIR/dev.csv.

  --confidence       only fits the confidence, for the model of --out: after a change of the rules
  --syntax           only trains the tagger and the scores of subjects, on the sentences of DIR/train.csv, descriptions.txt and
                     FILE with the word classes and dependencies that spaCy gives them, and fits the confidence: three minutes
  --python PYTHON    a Python with spaCy, see label-syntax.py (python3)
  --encoder FOLDER   config.json, vocab.txt and model.safetensors of all-MiniLM-L6-v2, on which teachers are trained;
                     without it, the parser is trained on the CSV file alone
  --captions FILE    captions without graphs for the teachers to label: one per line, a JSON file in COCO's format,
                     or a CSV file with the column caption
  --variations N     captions to generate from those of the CSV file for the teachers to label (150000)
  --teachers N       number of teachers (2)
  --teacher-epochs N epochs of each teacher (${defaultTeacherOptions.epochs})
  --assistants N     number of wide networks, trained on annotated captions and the teachers' labels, that label parts of
                     the captions of FILE and more generated captions (2)
  --assistant-epochs N epochs of each assistant (${defaultAssistantOptions.epochs})
  --assistant-variations N captions to generate for the assistants to label (250000)
  --keep FOLDER      folder of the labels, for another run, and of each training's state after every epoch, from which an
                     interrupted run resumes
  --epochs N         epochs of the parser's network (${defaultTrainingOptions.epochs}; with teachers, 6)
  --seed N           seed of all networks (${defaultTrainingOptions.seed})
  --student-seed N   seed of the parser's network alone: reuses teachers and assistants (as --seed)
  --out FILE         the model to write (src/parser/neural/parser.model); confidence.json is written next to it`;

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
    confidence: { type: 'boolean' },
    syntax: { type: 'boolean' },
    python: { type: 'string', default: 'python3' },
    help: { type: 'boolean' },
  },
});
const [folder] = positionals;
const out = values.out ?? fileURLToPath(new URL('../src/parser/neural/parser.model', import.meta.url));
const started = performance.now();
const log = (text: string) =>
  console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
if (values.confidence && folder === undefined) {
  await writeConfidence(readFileSync(out));
  process.exit(0);
}
if (values.help || folder === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
if (values.syntax) {
  const sentences = syntaxSentences(folder, values.captions ? [values.captions] : []);
  log(`${sentences.length} sentences`);
  trainSyntax(sentences, labelSyntax(sentences, { python: values.python, keep: values.keep }), log);
  await writeConfidence(readFileSync(out));
  process.exit(0);
}
const [variations, teachers, seed] = [wholeNumber('variations'), wholeNumber('teachers'), wholeNumber('seed')];
const [teacherEpochs, assistantEpochs] = [wholeNumber('teacher-epochs'), wholeNumber('assistant-epochs')];
const [assistants, assistantVariations] = [wholeNumber('assistants'), wholeNumber('assistant-variations')];
const epochs =
  values.epochs === undefined ? (values.encoder ? 6 : defaultTrainingOptions.epochs) : wholeNumber('epochs');
for (const file of [values.encoder && join(values.encoder, 'model.safetensors'), values.captions])
  if (file && !existsSync(file)) fail(`${file}: no such file`);

const logEpoch = (who: string) => (epoch: number, losses: Losses) =>
  log(
    `${who}, epoch ${epoch + 1}: ${Object.entries(losses)
      .map(([name, loss]) => `${name} ${loss.toFixed(3)}`)
      .join(', ')}`,
  );

const captions: GoldCaption[] = [];
for await (const caption of goldCaptions(join(folder, 'train.csv'), ({ line, problem }) =>
  log(`line ${line}: ${problem}`),
))
  captions.push(caption);
const { words, forms, labels, examples, skipped } = prepareCaptions(captions);
log(`${examples.length} captions, ${skipped} skipped; ${words.length} words, ${labels.size} relation labels`);
const vectors = readWordVectors();
const unlabeled = values.captions && values.encoder ? correctedCaptions(values.captions) : [];
const teacherExamples = values.encoder ? await labelByTeachers(values.encoder) : [];
const assistantExamples = teacherExamples.length > 0 && assistants > 0 ? await labelByAssistants(teacherExamples) : [];

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
const trainingExamples = studentExamples(examples, [...teacherExamples, ...assistantExamples]);
const checkpoint = values.keep
  ? new CacheFile<TrainingState>(
      join(values.keep, `${fingerprint([labels.names, sizes, options], trainingExamples)}.training`),
    )
  : undefined;
trainer.train(trainingExamples, logEpoch('student'), checkpoint);
const bytes = encodeStudent(trainer, vocabulary, vectors, { labels, forms, counts: words });
writeFileSync(out, bytes);
checkpoint?.remove();
log(`${(bytes.length / 1e6).toFixed(1)} MB written`);
await writeConfidence(bytes);

const kernels = new ParserKernels(studentMemoryBytes);
const { overall, byLength } = await evaluateParser(
  goldCaptions(join(folder, 'dev.csv'), () => {}),
  parserOf(decodeModel(bytes, kernels), kernels),
);
for (const { words: range, ...scores } of [{ words: 'all', ...overall }, ...byLength])
  log(
    `${range} words: ${scores.captions} captions, Set Match ${scores.setMatch.toFixed(1)}, SPICE ${scores.spice.toFixed(1)} (exact ${scores.spiceExact.toFixed(1)})`,
  );

/** Fits the confidence of a model's relations and writes it next to the model. */
async function writeConfidence(bytes: Uint8Array): Promise<void> {
  const kernels = new ParserKernels(studentMemoryBytes);
  const { weights, relations, unjudged, reliability } = await fitConfidence(decodeModel(bytes, kernels), kernels);
  writeFileSync(join(dirname(out), 'confidence.json'), `${JSON.stringify({ weights }, null, 2)}\n`);
  log(`confidence fitted to ${relations} judged relations; ${unjudged} without a judgment`);
  for (const { from, relations: count, confidence, right } of reliability)
    log(`confidence from ${from}: ${count} relations, mean ${confidence.toFixed(3)}, right ${right.toFixed(3)}`);
}

/** Trains teachers and labels the captions of the file and generated ones. */
async function labelByTeachers(encoder: string): Promise<TrainingExample[]> {
  const captions = [...unlabeled, ...augmented(examples, variations, seed)];
  log(`${captions.length} captions without graphs`);
  const options = { ...defaultTeacherOptions, epochs: teacherEpochs, seed };
  return label('teacher', teachers, { encoder, options, examples, captions });
}

/** Trains assistants and labels parts of the file's captions and more generated captions. */
async function labelByAssistants(labeled: readonly TrainingExample[]): Promise<TrainingExample[]> {
  const texts = new Set(unlabeled.map((caption) => caption.join(' ')));
  const ofFile = labeled.filter((example) => texts.has(example.words.join(' ')));
  const parts = fragmentsOf(ofFile);
  const captions = [...parts, ...augmented([...examples, ...ofFile], assistantVariations, seed + 1)];
  log(`${captions.length} captions for assistants, of which ${parts.length} are parts of others`);
  const options = { ...defaultAssistantOptions, epochs: assistantEpochs, seed };
  return label('assistant', assistants, { options, examples: [...examples, ...labeled], captions });
}

async function label(who: string, count: number, task: Omit<TeacherTask, 'labels'>): Promise<TrainingExample[]> {
  const labeled = await labelWithTeachers(
    { ...task, labels: labels.names },
    { count, cacheFolder: values.keep, onEpoch: (n, epoch, losses) => logEpoch(`${who} ${n + 1}`)(epoch, losses) },
  );
  log(`${labeled.length} captions labeled`);
  return labeled;
}

/** Generates captions from those of examples. */
function augmented(from: readonly TrainingExample[], count: number, seed: number): string[][] {
  const augmenter = new CaptionAugmenter(from, vectors, new Random(seed));
  return Array.from({ length: count }, () => augmenter.next());
}

/** Reads captions as words with corrected spelling. */
function correctedCaptions(file: string): string[][] {
  const spelling = new Spelling(words);
  return readCaptions(file)
    .map((line) => correctedTokenWords(captionTokens(line, maxTrainingCaptionLength), spelling))
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
