// npm run circle -- --out DIR: end-to-end experiment on drawn scenes. The R-Tagger and the geometry baseline make scene
// graphs from detections and captions; the same small RLIPv2 is trained on these and on the ground truth, and evaluated on
// the test split. Prints a table and writes the results to DIR/circle.json.
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

End-to-end experiment on drawn scenes: an R-Tagger and the geometry baseline make scene graphs from detections and captions;
a small RLIPv2 is trained on these graphs, and on the ground truth; a table shows the recall of each on the test split. With
the defaults it takes about 45 minutes on one processor. After a stop or a crash, the same command resumes.

  --out DIR         working folder; steps that are complete there are not repeated
  --tagger WEIGHTS  weights of the R-Tagger (default: the sprite tagger that is included in relflow)
  --scenes DIR      scenes for training (npm run fixtures:scenes); default: DIR/scenes, which is created
  --images N        number of scenes to draw (default 2000)
  --start-steps N   steps of the common pre-training, on detections only (default 2400)
  --steps N         steps of each training (default 600)
  --threads N       threads of the wasm backend (default 1: two are not faster for such a small model)
  --help            print this text`;

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
/** Runs one of the project's programs, and exits with its status if it fails or is stopped. */
function runScript(file: string, args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 130);
}
const relflow = (...args: readonly string[]) => runScript('src/cli/main.ts', args);
/** Prints the number of the current part, the elapsed minutes and a description. */
const started = performance.now();
const PARTS = 8;
let part = 0;
const logPart = (text: string) =>
  console.error(`circle: ${++part} of ${PARTS}, minute ${Math.floor((performance.now() - started) / 60_000)}: ${text}`);

await mkdir(out, { recursive: true });
// Results in the folder must have the same settings, or the table would compare unrelated runs.
const settings = `${JSON.stringify({ tagger, scenes: flags.scenes && scenes, images: flags.images, startSteps, steps }, null, 2)}\n`;
const settingsFile = join(out, 'settings.json');
const previous = existsSync(settingsFile) ? await readFile(settingsFile, 'utf8') : settings;
if (previous !== settings)
  usage(`--out ${out} contains results of other settings, expected those of its settings.json: ${previous}`);
await writeAtomically(settingsFile, [settings]);
logPart('scenes');
if (!existsSync(join(scenes, 'scenes.json')))
  runScript('scripts/write-scenes.ts', ['--out', scenes, '--images', flags.images, '--seed', '1']);
const trainFolder = join(scenes, 'train');
const images = join(trainFolder, 'images');
const truth = await readGraphs(join(trainFolder, 'scene-graphs.jsonl'));
/** Triplets that are held out of all trainings. */
const heldOut = heldOutKinds(truth);

/** Makes scene graphs from detections and captions, with the tagger or the baseline. @returns their folder */
function pseudoLabel(name: string, more: readonly string[]): string {
  const folder = join(out, `graphs-${name}`);
  logPart(`pseudo-labels: ${name}`);
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  if (existsSync(join(folder, '.relflow', 'run.json'))) relflow('resume', folder);
  else {
    const inputs = [
      '--annotations',
      join(trainFolder, 'instances.json'),
      '--captions',
      join(trainFolder, 'captions.json'),
    ];
    relflow(
      'run',
      'coco',
      ...inputs,
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

// Common pre-training on detections only, as the official model starts from a detector.
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

const results: Record<string, RelationReport & { readonly learned: number }> = {};
for (const [name, path] of Object.entries(graphs)) {
  const weights = await train(name, path, steps, startWeights);
  const learned = (await readGraphs(path)).reduce((sum, { relations }) => sum + relations.length, 0);
  results[name] = { ...(await evaluate(weights)), learned };
}
logPart('evaluation of the pre-training only');
results['start alone'] = { ...(await evaluate(startWeights)), learned: 0 };
await writeFile(join(out, 'circle.json'), `${JSON.stringify({ heldOut: heldOut.length, results }, null, 2)}\n`);

const percent = (value: number | null | undefined) => (value == null ? '–' : (100 * value).toFixed(1)).padStart(9);
const [any] = Object.values(results);
console.log(
  `test split: ${any!.images} images, ${any!.relations} relations, ${any!.unseen} of them of the ${heldOut.length} held-out triplets`,
);
console.log(
  `${'labels of'.padEnd(14)}${['relations', 'mean AP', 'R@20', 'R@50', 'R@100', 'mR@100', 'unseen@100', 'pairs@100'].map((name) => name.padStart(11)).join('')}`,
);
for (const [
  name,
  { learned, meanAveragePrecision: ap, recall, meanRecall, unseenRecall, pairRecall },
] of Object.entries(results)) {
  const shares = [ap, recall[20], recall[50], recall[100], meanRecall[100], unseenRecall[100], pairRecall[100]];
  console.log(
    `${name.padEnd(14)}${`${learned}`.padStart(11)}${shares.map((share) => percent(share).padStart(11)).join('')}`,
  );
}
