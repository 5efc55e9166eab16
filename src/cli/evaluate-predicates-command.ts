import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  compareTaggers,
  datasetNames,
  type NamedTagger,
  type PredicateReport,
  type TaggerScores,
} from '../evaluation/index.js';
import { baselineTagger, InputError, OptionError, sceneGraphLines } from '../index.js';
import { taggerWeights } from '../model/tagger/embedded-tagger.js';
import { rTagger } from '../model/tagger/r-tagger.js';
import type { CommandContext } from './command-context.js';
import { table } from './table.js';

interface Flags {
  readonly images?: string;
  readonly counts?: string;
  readonly tagger?: readonly string[];
  readonly boxNoise: number;
  readonly labelNoise: number;
  readonly noiseSeed: number;
  readonly limit?: number;
  readonly backend?: string;
  readonly threads?: number;
  readonly byPredicate?: boolean;
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const number =
  (least: number, most: number, whole = false) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`expected a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  };

/** `relflow evaluate predicates FILE`. */
export function evaluatePredicatesCommand(evaluate: Command, context: CommandContext): void {
  evaluate
    .command('predicates <scene-graphs>')
    .summary('predicate classification of taggers and baselines')
    .description(
      "Ask taggers which predicates hold between all pairs of given boxes, and score the answers: recall at K, mean recall, average precision by predicate, error of confidences; on the boxes and labels as they are, and on wrong ones. The baseline of boxes is always among them. Data are relflow's scene graphs: a file, a glob, or the folder of a run.",
    )
    .option('--images <dir>', 'folder of the images, for taggers that look at them')
    .option('--counts <scene-graphs>', 'scene graphs to count for the frequency prior: a training split')
    .option(
      '--tagger <weights...>',
      "weights of R-Taggers, as FILE or NAME=FILE; 'sprites' for the one that comes with relflow",
    )
    .addOption(new Option('--box-noise <share>', 'reach of moved boxes').argParser(number(0, 1)).default(0.4))
    .addOption(new Option('--label-noise <rate>', 'rate of wrong labels').argParser(number(0, 1)).default(0.2))
    .addOption(new Option('--noise-seed <n>', 'of both').argParser(number(0, 2 ** 32 - 1, true)).default(1))
    .addOption(new Option('--limit <n>', 'only the first so many images').argParser(number(1, 1e9, true)))
    .option('--backend <name>', 'where R-Taggers run: auto, wasm, tensorflow, webgpu, cpu')
    .addOption(new Option('--threads <n>', 'threads of R-Taggers').argParser(number(1, 64, true)))
    .option('--by-predicate', 'print the average precision of each predicate too')
    .option('--markdown', 'print the tables as Markdown')
    .option('--json', 'print as JSON')
    .option('--quiet', 'say nothing while evaluating')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate predicates scenes/test/scene-graphs.jsonl --images scenes/test/images --counts scenes/train/scene-graphs.jsonl --tagger sprites run/weights.safetensors\n  relflow evaluate predicates test.jsonl --box-noise 0 --label-noise 0 --json',
    )
    .action((file: string, flags: Flags) => action(context, file, flags));
}

async function action(context: CommandContext, file: string, flags: Flags): Promise<void> {
  const { images, counts, limit, boxNoise: box, labelNoise: label, noiseSeed: seed, quiet } = flags;
  const where = 'evaluate predicates';
  if (flags.tagger && images === undefined)
    throw new OptionError(where, 'expected --images beside --tagger, which looks at them');
  if (images !== undefined && !(await stat(images).catch(() => null))?.isDirectory())
    throw new InputError(images, 'no such image folder');
  const known = await datasetNames(recordsOf(file, limit));
  if (known.predicates.length === 0) throw new InputError(file, 'has no relation to score');
  const counted = counts === undefined ? null : await datasetNames(recordsOf(counts));
  const categories = [...new Set([...known.categories, ...(counted?.categories ?? [])])].sort();
  const taggers: NamedTagger[] = [
    ...(counted ? [{ name: 'frequency prior', tagger: counted.prior.tagger() }] : []),
    { name: 'baseline of boxes', tagger: baselineTagger() },
    ...(flags.tagger ?? []).map(namedWeights).map(({ name, weights }) => ({
      name,
      tagger: rTagger({
        weights: taggerWeights(weights),
        images: images!,
        categories,
        ...(flags.backend !== undefined && { backend: flags.backend }),
        ...(flags.threads !== undefined && { threads: flags.threads }),
      }),
    })),
  ];
  const scores = await compareTaggers(() => recordsOf(file, limit), taggers, {
    predicates: known.predicates,
    ...((box > 0 || label > 0) && { perturbation: { box, label, categories, seed } }),
    onStart: (tagger) => {
      if (!quiet) context.printNote(`${tagger}…`);
    },
  });
  if (flags.json) {
    const noise = { box, label, seed };
    context.print(JSON.stringify({ sceneGraphs: file, counts: counts ?? null, images: known.images, noise, scores }));
    return;
  }
  const draw = flags.markdown ? markdown : table;
  context.print(draw(...overview(scores)));
  if (flags.byPredicate) context.print(`\n${draw(...byPredicate(scores))}`);
}

/** `without denoising=run/weights.safetensors`: what a table calls it, and the file. */
function namedWeights(text: string): { name: string; weights: string } {
  const at = text.indexOf('=');
  return at < 1 || existsSync(text)
    ? { name: text, weights: text }
    : { name: text.slice(0, at), weights: text.slice(at + 1) };
}

/** Records of scene graphs; a line that is none is an error, since a score on a part of the data would mislead. */
async function* recordsOf(sceneGraphs: string, limit?: number) {
  const source = sceneGraphLines({ sceneGraphs, ...(limit !== undefined && { limit }) });
  const tempDir = await mkdtemp(join(tmpdir(), 'relflow-'));
  try {
    const { signal } = new AbortController();
    for await (const { record, rejects = [] } of source.read({ signal, tempDir, progress: () => {} })) {
      if (rejects[0]) throw new InputError(sceneGraphs, rejects[0].message);
      if (record) yield record;
    }
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
}

type Rows = [head: string[], rows: (string | number)[][]];

const percent = (value: number): number => Math.round(1000 * value) / 10;

function overview(scores: readonly TaggerScores[]): Rows {
  const cuts = Object.keys(scores[0]!.report.recall).join(' / ');
  const list = (values: PredicateReport['recall']) =>
    Object.values(values)
      .map((value) => percent(value).toFixed(1))
      .join(' / ');
  return [
    ['', 'boxes and labels', 'mean AP', `R@${cuts}`, `one a pair R@${cuts}`, `mean R@${cuts}`, 'error of confidences'],
    scores.map(({ tagger, perturbed, report }) => [
      tagger,
      perturbed ? 'wrong' : 'true',
      percent(report.meanAveragePrecision).toFixed(1),
      list(report.recall),
      list(report.constrainedRecall),
      list(report.meanRecall),
      report.calibrationError.toFixed(3),
    ]),
  ];
}

function byPredicate(scores: readonly TaggerScores[]): Rows {
  const head = scores.map(({ tagger, perturbed }) => `${tagger}${perturbed ? ', wrong' : ''}`);
  return [
    ['AP', 'relations', ...head],
    scores[0]!.report.predicates.map(({ predicate, count }, row) => [
      predicate,
      count,
      ...scores.map(({ report }) => {
        const value = report.predicates[row]!.averagePrecision;
        return value === null ? '–' : percent(value).toFixed(1);
      }),
    ]),
  ];
}

const markdown = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
};
