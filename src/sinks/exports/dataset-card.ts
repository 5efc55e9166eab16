import { version } from '../../package-info.js';
import type { ExportContents } from './export-contents.js';
import type { ExportInput } from './export-format.js';
import type { ExportedFile } from './exported-file.js';

/** The number of names that tables of a card show. */
const SHOWN = 20;

/** Sizes of sets as the dataset hub names them. */
const SIZES: readonly (readonly [limit: number, name: string])[] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
];

/** Formats the card of a dataset: metadata for the hub, what the set contains, and how its labels were made. */
export function datasetCard(
  input: ExportInput,
  contents: ExportContents,
  kind: 'parquet' | 'jsonl',
  files: readonly ExportedFile[],
): string {
  const { about, options, splits } = input;
  const images = [...contents.images.values()].reduce((sum, count) => sum + count, 0);
  const size = SIZES.find(([limit]) => images < limit)?.[1] ?? 'n>10M';
  const names = splits ?? ['train'];
  const dataFiles = names.flatMap((name) => [
    `      - split: ${name}`,
    `        path: data/${kind === 'parquet' ? `${name}-*.parquet` : `${name}.jsonl`}`,
  ]);
  const hasConfidence = [...contents.taggers.keys()].some((name) => name !== 'people');
  const lines = [
    '---',
    `license: ${options.license ?? 'unknown'}`,
    'task_categories:\n  - object-detection',
    'tags:\n  - scene-graph\n  - visual-relationship-detection\n  - human-object-interaction\n  - relflow',
    `size_categories:\n  - ${size}`,
    'configs:\n  - config_name: default\n    data_files:',
    ...dataFiles,
    '---',
    '',
    `# ${text(about.name)}`,
    '',
    `Scene graphs of ${count(images)} images with ${count(contents.objects)} objects and ${count(contents.relations)} relations, exported by relflow ${version}.`,
    '',
    options.license === undefined
      ? '**No license was stated for this export.** The annotations follow the license of the sets that they were made from; add it before you publish this folder.'
      : `License, as stated when the set was exported: ${text(options.license)}.`,
    '',
    '## How the labels were made',
    '',
    hasConfidence
      ? 'Relations were made by programs, not by people, unless `confidence` is missing. `confidence` is in [0, 1]; it orders relations, and is a probability only as far as the pipeline was calibrated. This export states no measured precision: judge a sample before you rely on it (`relflow sample`, `relflow evaluate judged`).'
      : 'Relations were annotated by people, in the sets below.',
    '',
    ...table(
      ['data set', 'images'],
      [...contents.datasets].map(([name, images]) => [name, count(images)]),
    ),
    ...table(
      ['relations by', 'images'],
      [...contents.taggers].map(([name, images]) => [name, count(images)]),
    ),
    ...(about.stages.length > 0 ? [`Stages: ${about.stages.map(text).join(' → ')}.`, ''] : []),
    ...(about.inputs.length > 0
      ? table(
          ['input file', 'SHA-256'],
          about.inputs.map(({ file, sha256 = '–' }) => [file, sha256]),
        )
      : []),
    ...filters(options),
    '## Content',
    '',
    ...table(
      ['split', 'images'],
      names.map((name) => [name, count(contents.images.get(splits ? name : '') ?? 0)]),
    ),
    'Boxes (`bbox`) are `[x, y, w, h]` in pixels, x and y the top left corner. `subject` and `object` are positions in `objects`.',
    '',
    ...frequencies('predicate', contents.predicates),
    ...frequencies('category', contents.categories),
    `Files: ${files.length}, listed with their SHA-256 in \`relflow-export.json\`.`,
    '',
  ];
  return lines.join('\n');
}

function filters({ minConfidence, where, relatedOnly }: ExportInput['options']): string[] {
  const parts = [
    ...(minConfidence ? [`confidence at least ${minConfidence}`] : []),
    ...(where === undefined ? [] : [`\`${where.replaceAll('`', "'")}\``]),
    ...(relatedOnly ? ['images with a relation only'] : []),
  ];
  return parts.length === 0 ? [] : [`Kept: ${parts.join('; ')}.`, ''];
}

function frequencies(kind: string, counts: ReadonlyMap<string, number>): string[] {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const rows = sorted.slice(0, SHOWN).map(([name, number]) => [name, count(number)]);
  const rest = sorted.length > SHOWN ? [`… and ${count(sorted.length - SHOWN)} more.`, ''] : [];
  return [...table([kind, 'count'], rows), ...rest];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map((row) => line(row.map(text))), ''];
}

const count = (number: number) => number.toLocaleString('en-US');

/** Makes a text from data harmless in Markdown. */
function text(value: string): string {
  return value.replace(/[\s\p{Cc}]+/gu, ' ').replace(/[\\`*_{}[\]<>#|]/g, '\\$&');
}
