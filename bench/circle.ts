// npm run circle -- --out DIR: the whole circle on drawn scenes. Detections and captions become scene graphs, by the
// R-Tagger and by the geometry baseline; the same small RLIPv2 learns from those and from the clean truth; what each
// finds in the test split is scored. Prints one table; writes it to DIR/circle.json too.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SCENES, scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { evaluateRelations, type RelationReport } from '../src/evaluation/index.js';
import { writeAtomically } from '../src/files/write-atomically.js';
import { sceneGraphLines } from '../src/index.js';
import { openRelationFinder } from '../src/model/index.js';
import { SPRITES, taggerWeights } from '../src/model/tagger/embedded-tagger.js';
import { circleConfig } from './circle/circle-config.js';
import {
  heldOutKinds,
  kindKey,
  namesOf,
  neighborGraphs,
  type RelationKind,
  readGraphs,
  writeGraphs,
} from './circle/graphs.js';

const HELP = `usage: npm run circle -- --out DIR [--tagger WEIGHTS] [--scenes DIR] [--images N] [--start-steps N] [--steps N] [--threads N]

The whole circle: detections and captions of drawn scenes become scene graphs, by an R-Tagger and by the geometry
baseline; a small RLIPv2 learns from those, and from the clean truth; a table says what each finds in the test split. With
the defaults it takes about 45 minutes, on one processor. The same command goes on where it was stopped or killed.

  --out DIR         the folder to work in; what is done there already is not done again
  --tagger WEIGHTS  the R-Tagger's weights (default: the sprite tagger that comes with relflow)
  --scenes DIR      scenes to learn from (npm run fixtures:scenes); default: DIR/scenes, drawn here
  --images N        how many scenes are drawn (default 2000)
  --start-steps N   steps of the common start, on detections alone (default 2400)
  --steps N         steps of each training (default 600)
  --threads N       of the wasm backend (default 1: two take no less time for so small a model)
  --help            this text`;

const { flags, usage } = scriptFlags(HELP, {
  out: { type: 'string' },
  tagger: { type: 'string', default: SPRITES },
  scenes: { type: 'string' },
  images: { type: 'string', default: '2000' },
  'start-steps': { type: 'string', default: '2400' },
  steps: { type: 'string', default: '600' },
  threads: { type: 'string', default: '1' },
});
const wholeFlag = (name: 'start-steps' | 'steps' | 'threads') => wholeNumber(usage, name, flags[name]);
wholeNumber(usage, 'images', flags.images, ...SCENES);
const out = resolve(flags.out ?? usage('--out is missing, expected a folder'));
const tagger = flags.tagger === SPRITES ? SPRITES : resolve(flags.tagger);
if (!existsSync(taggerWeights(tagger))) usage(`--tagger ${flags.tagger}, expected a file of weights`);
const scenes = resolve(flags.scenes ?? join(out, 'scenes'));
const [startSteps, steps, threads] = [wholeFlag('start-steps'), wholeFlag('steps'), wholeFlag('threads')];

const root = fileURLToPath(new URL('..', import.meta.url));
/** Runs one of the project's programs to its end; where it fails, or is stopped, this one ends as it did. */
function runScript(file: string, args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 130);
}
const relflow = (...args: readonly string[]) => runScript('src/cli/main.ts', args);
/** What is done, the part that begins, and the minutes that are gone. */
const started = performance.now();
const PARTS = 8;
let part = 0;
const logPart = (text: string) =>
  console.error(`circle: ${++part} of ${PARTS}, minute ${Math.floor((performance.now() - started) / 60_000)}: ${text}`);

await mkdir(out, { recursive: true });
// What is there already is of the same settings, or the table would compare what does not belong together.
const settings = `${JSON.stringify({ tagger, scenes: flags.scenes && scenes, images: flags.images, startSteps, steps }, null, 2)}\n`;
const settingsFile = join(out, 'settings.json');
const known = existsSync(settingsFile) ? await readFile(settingsFile, 'utf8') : settings;
if (known !== settings)
  usage(`--out ${out} holds a circle of other settings, expected those of its settings.json: ${known}`);
await writeAtomically(settingsFile, [settings]);
logPart('scenes');
if (!existsSync(join(scenes, 'scenes.json')))
  runScript('scripts/write-scenes.ts', ['--out', scenes, '--images', flags.images, '--seed', '1']);
const trainFolder = join(scenes, 'train');
const images = join(trainFolder, 'images');
const truth = await readGraphs(join(trainFolder, 'scene-graphs.jsonl'));
/** Kinds of relations that no training sees. */
const heldOut = heldOutKinds(truth);

/** Scene graphs from detections and captions, by the tagger or by the baseline. */
function pseudoLabel(name: string, more: readonly string[]): string {
  const folder = join(out, `graphs-${name}`);
  logPart(`pseudo-labels: ${name}`);
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  if (existsSync(join(folder, '.relflow', 'run.json'))) relflow('resume', folder);
  else {
    const given = [
      '--annotations',
      join(trainFolder, 'instances.json'),
      '--captions',
      join(trainFolder, 'captions.json'),
    ];
    relflow(
      'run',
      'coco',
      ...given,
      '--dataset',
      'scenes',
      '--split',
      'train',
      '--images',
      images,
      '--out',
      folder,
      ...more,
    );
  }
  return folder;
}
const graphs = {
  truth: join(trainFolder, 'scene-graphs.jsonl'),
  tagger: pseudoLabel('tagger', ['--tagger', tagger, '--threads', `${threads}`]),
  baseline: pseudoLabel('baseline', []),
};

async function train(name: string, sceneGraphs: string, count: number, startFrom?: string): Promise<string> {
  const folder = join(out, `run-${name}`);
  const weights = join(folder, 'weights.safetensors');
  logPart(`training: ${name}, ${count} steps`);
  if (existsSync(weights)) return weights;
  const file = join(out, `${name}.json`);
  const config = circleConfig({ sceneGraphs, images, steps: count, threads, heldOut, ...(startFrom && { startFrom }) });
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`);
  const resume = existsSync(join(folder, 'settings.json')) ? ['--resume'] : [];
  relflow('train', 'rlip', '--config', file, '--out', folder, ...resume);
  return weights;
}

// The common start: where things are and what they are, of detections alone, as the official model begins with a detector.
const neighborFile = join(out, 'beside.jsonl');
await writeGraphs(neighborFile, neighborGraphs(truth));
const startWeights = await train('start', neighborFile, startSteps);

const test = join(scenes, 'test');
const evaluationLabels = namesOf([...truth, ...(await readGraphs(join(test, 'scene-graphs.jsonl')))]);
const unseen = new Set(heldOut.map(kindKey));
async function evaluate(weights: string): Promise<RelationReport> {
  const finder = await openRelationFinder({
    weights,
    images: join(test, 'images'),
    ...evaluationLabels,
    backend: 'wasm',
    threads,
    size: [128, 160],
  });
  async function* records() {
    const context = { signal: new AbortController().signal, tempDir: out, progress: () => {} };
    for await (const { record } of sceneGraphLines({ sceneGraphs: join(test, 'scene-graphs.jsonl') }).read(context))
      if (record) yield record;
  }
  const kind = (subject: string, predicate: string, object: string): RelationKind => ({ subject, predicate, object });
  const report = await evaluateRelations(records(), finder, {
    unseen: (s, p, o) => unseen.has(kindKey(kind(s, p, o))),
  });
  finder.dispose();
  return report;
}

const results: Record<string, RelationReport & { readonly learnt: number }> = {};
for (const [name, path] of Object.entries(graphs)) {
  const weights = await train(name, path, steps, startWeights);
  const learnt = (await readGraphs(path)).reduce((sum, { relations }) => sum + relations.length, 0);
  results[name] = { ...(await evaluate(weights)), learnt };
}
logPart('the start alone');
results['start alone'] = { ...(await evaluate(startWeights)), learnt: 0 };
await writeFile(join(out, 'circle.json'), `${JSON.stringify({ heldOut: heldOut.length, results }, null, 2)}\n`);

const percent = (value: number | null | undefined) => (value == null ? '–' : (100 * value).toFixed(1)).padStart(9);
const [any] = Object.values(results);
console.log(
  `test split: ${any!.images} images, ${any!.relations} relations, ${any!.unseen} of ${heldOut.length} kinds that no training saw`,
);
console.log(
  `${'labels of'.padEnd(14)}${['relations', 'mean AP', 'R@20', 'R@50', 'R@100', 'mR@100', 'unseen@100', 'pairs@100'].map((name) => name.padStart(11)).join('')}`,
);
for (const [name, { learnt, meanAveragePrecision: ap, recall, meanRecall, unseenRecall, pairRecall }] of Object.entries(
  results,
)) {
  const shares = [ap, recall[20], recall[50], recall[100], meanRecall[100], unseenRecall[100], pairRecall[100]];
  console.log(
    `${name.padEnd(14)}${`${learnt}`.padStart(11)}${shares.map((share) => percent(share).padStart(11)).join('')}`,
  );
}
