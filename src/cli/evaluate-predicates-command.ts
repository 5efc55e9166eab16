import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
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
import { checkImageFolder } from '../files/image-folder.js';
import { baselineTagger, InputError, OptionError, sceneGraphLines } from '../index.js';
import { BACKEND_CHOICES } from '../model/backends/backend-names.js';
import { taggerWeights } from '../model/tagger/embedded-tagger.js';
import { rTagger } from '../model/tagger/r-tagger.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressMode, progressOption, quietOption } from './progress.js';

interface Flags extends ProgressFlags {
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
}

const number =
  (least: number, most: number, whole = false) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`expected a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  };

/** Adds `relflow evaluate predicates`. */
export function evaluatePredicatesCommand(evaluate: Command, context: CommandContext): void {
  evaluate
    .command('predicates <scene-graphs>')
    .summary('predicate classification of taggers and baselines')
    .description(
      'Score the predicates that taggers assign to all pairs of ground-truth boxes: recall at K, mean recall, average precision of each predicate and calibration error, with the true boxes and labels and with perturbed ones. The geometric baseline is always included. The data are relflow scene graphs: a file, a glob or the folder of a run.',
    )
    .option('--images <dir>', 'image folder, tar file or s3:// address, needed with --tagger')
    .option('--counts <scene-graphs>', 'scene graphs of a training split, from which the frequency prior counts')
    .option(
      '--tagger <weights...>',
      "weights of R-Taggers, as FILE or NAME=FILE; 'sprites' is the tagger that comes with relflow",
    )
    .addOption(
      new Option(
        '--box-noise <share>',
        'scale of box noise: sizes change by up to this share, centers move by up to half of it',
      )
        .argParser(number(0, 1))
        .default(0.4),
    )
    .addOption(
      new Option('--label-noise <rate>', 'probability that a label is replaced by a random one')
        .argParser(number(0, 1))
        .default(0.2),
    )
    .addOption(
      new Option('--noise-seed <n>', 'seed of both perturbations').argParser(number(0, 2 ** 32 - 1, true)).default(1),
    )
    .addOption(new Option('--limit <n>', 'score only the first n images').argParser(number(1, 1e9, true)))
    .addOption(new Option('--backend <name>', 'backend of R-Taggers (default: auto)').choices(BACKEND_CHOICES))
    .addOption(new Option('--threads <n>', 'threads of R-Taggers').argParser(number(1, 64, true)))
    .option('--by-predicate', 'also print the average precision of each predicate')
    .option('--markdown', 'print the tables as Markdown')
    .option('--json', 'print as JSON')
    .addOption(progressOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate predicates scenes/test/scene-graphs.jsonl --images scenes/test/images --counts scenes/train/scene-graphs.jsonl --tagger sprites run/weights.safetensors\n  relflow evaluate predicates test.jsonl --box-noise 0 --label-noise 0 --json',
    )
    .action((file: string, flags: Flags) => action(context, file, flags));
}

async function action(context: CommandContext, file: string, flags: Flags): Promise<void> {
  const { images, counts, limit, boxNoise: box, labelNoise: label, noiseSeed: seed } = flags;
  const where = 'evaluate predicates';
  const mode = progressMode(flags, context.stderr);
  if (flags.tagger && images === undefined) throw new OptionError(where, '--tagger needs --images, the image folder');
  await checkImageFolder(images);
  const known = await datasetNames(recordsOf(file, limit));
  if (known.predicates.length === 0) throw new InputError(file, 'contains no relation to score');
  const counted = counts === undefined ? null : await datasetNames(recordsOf(counts));
  const categories = [...new Set([...known.categories, ...(counted?.categories ?? [])])].sort();
  const taggers: NamedTagger[] = [
    ...(counted ? [{ name: 'frequency prior', tagger: counted.prior.tagger() }] : []),
    { name: 'geometric baseline', tagger: baselineTagger() },
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
      if (mode === 'json') context.printEvent({ event: 'tagger', tagger });
      else if (mode === 'bar') context.printNote(`${tagger}…`);
    },
  });
  if (flags.json) {
    const noise = { box, label, seed };
    context.print(JSON.stringify({ sceneGraphs: file, counts: counts ?? null, images: known.images, noise, scores }));
    return;
  }
  const show = ([head, rows]: Rows) =>
    flags.markdown ? context.print(...markdown(head, rows)) : context.printTable(head, rows);
  show(overview(scores));
  if (flags.byPredicate) {
    context.print('');
    show(byPredicate(scores));
  }
}

/** Splits `NAME=FILE` into the name for the table and the file of weights; a bare file is its own name. */
function namedWeights(text: string): { name: string; weights: string } {
  const at = text.indexOf('=');
  return at < 1 || existsSync(text)
    ? { name: text, weights: text }
    : { name: text.slice(0, at), weights: text.slice(at + 1) };
}

/** Reads records of scene graphs. An invalid line is an error, since a score on a part of the data would mislead. */
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
    ['', 'boxes and labels', 'mean AP', `R@${cuts}`, `one per pair R@${cuts}`, `mean R@${cuts}`, 'calibration error'],
    scores.map(({ tagger, perturbed, report }) => [
      tagger,
      perturbed ? 'perturbed' : 'true',
      percent(report.meanAveragePrecision).toFixed(1),
      list(report.recall),
      list(report.constrainedRecall),
      list(report.meanRecall),
      report.calibrationError.toFixed(3),
    ]),
  ];
}

function byPredicate(scores: readonly TaggerScores[]): Rows {
  const head = scores.map(({ tagger, perturbed }) => `${tagger}${perturbed ? ', perturbed' : ''}`);
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

const markdown = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
};
