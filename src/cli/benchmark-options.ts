import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../errors.js';
import type { BenchmarkEvaluation, BenchmarkReport, ReportValue } from '../evaluation/benchmarks/benchmark-report.js';
import { checksum } from '../files/checksum.js';
import { checkImageFolder } from '../files/image-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeAtomically } from '../files/write-atomically.js';
import { checkOutputFile } from '../run-folder/check-output-file.js';
import type { CommandContext } from './command-context.js';
import { overwriteOption } from './overwrite-option.js';

/** Flags that all benchmarks have. */
export interface BenchmarkFlags {
  readonly perClass?: boolean;
  readonly bootstrap?: number | true;
  readonly json?: boolean;
  readonly page?: string;
  readonly images?: string;
  readonly overwrite?: boolean;
}

const RESAMPLES = 1000;
/** Number of mistakes on a page. */
const MISTAKES = 24;

/** Adds the options that all benchmarks have. */
export const benchmarkOptions = (command: Command): Command =>
  command
    .option('--per-class', 'also print one row for each class')
    .addOption(
      new Option(
        '--bootstrap [n]',
        `95 % intervals by drawing the images anew n times; n defaults to ${RESAMPLES}`,
      ).argParser(resampleCount),
    )
    .option('--json', 'print as JSON, with all digits and classes')
    .option('--page <file>', 'write a page with precision-recall curves, the worst classes and the highest mistakes')
    .option(
      '--images <dir>',
      'image folder, tar file or s3:// address, to show the pictures of the mistakes on the page',
    )
    .addOption(overwriteOption());

/**
 * Returns the options of an evaluator that the flags stand for.
 * @throws OptionError or OutputError if the page cannot be written
 */
export async function evaluatorOptions({
  bootstrap,
  page,
  images,
  overwrite,
}: BenchmarkFlags): Promise<{ readonly resamples?: number; readonly mistakes?: number }> {
  if (page === undefined && images !== undefined)
    throw new OptionError('evaluate', '--images has no effect without --page');
  await checkImageFolder(images);
  if (page !== undefined) await checkOutputFile(page, overwrite ?? false);
  return {
    ...(bootstrap !== undefined && { resamples: bootstrap === true ? RESAMPLES : bootstrap }),
    ...(page !== undefined && { mistakes: MISTAKES }),
  };
}

/**
 * Prints what an evaluator returned: the protocol in full, counts, metrics and, if wanted, classes. Writes the page, if wanted.
 * @param files the files that were read, by what they are
 * @param settings of the predictions, from their header
 */
export async function printBenchmark(
  context: CommandContext,
  evaluation: BenchmarkEvaluation,
  files: Readonly<Record<string, string>>,
  settings: Readonly<Record<string, unknown>> | undefined,
  flags: BenchmarkFlags,
): Promise<void> {
  const { report } = evaluation;
  if (flags.page !== undefined) {
    const { benchmarkPage } = await import('../evaluation/benchmarks/benchmark-page.js');
    const html = await benchmarkPage(evaluation, flags.images === undefined ? {} : { images: flags.images });
    await wrapIoErrors(flags.page, () => writeAtomically(flags.page!, [html]));
  }
  const read = Object.fromEntries(
    await Promise.all(
      Object.entries(files).map(
        async ([name, file]) => [name, { file, sha256: (await checksum(file)).sha256 }] as const,
      ),
    ),
  );
  if (flags.json) {
    context.print(JSON.stringify({ ...report, files: read, ...(settings && { settings }) }));
    return;
  }
  context.printTable(
    [report.benchmark, 'protocol'],
    [
      ['evaluator', report.evaluator],
      ...Object.entries(report.protocol).map(([name, value]) => [name, `${value}`]),
      ...Object.entries(read).map(([name, { file, sha256 }]) => [name, `${file}, SHA-256 ${sha256.slice(0, 16)}…`]),
      ...Object.entries(settings ?? {}).map(([name, value]) => [
        `predictions: ${name}`,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ],
  );
  context.print('');
  context.printTable(['count', 'number'], Object.entries(report.counts));
  context.print('');
  printMetrics(context, report);
  const missing = report.counts['images-without-predictions'] ?? 0;
  if (missing > 0)
    context.printNote(
      `${missing} of ${report.counts['images']} annotated images have no line in the predictions; they count as images in which nothing was found`,
    );
  if (!flags.perClass) return;
  context.print('');
  const [first] = report.classes;
  if (first)
    context.printTable(
      Object.keys(first),
      report.classes.map((row) => Object.values(row).map(cell)),
    );
}

function printMetrics(context: CommandContext, { metrics, intervals }: BenchmarkReport): void {
  const rows = Object.entries(metrics).map(([name, value]) => {
    const interval = intervals?.[name];
    const range = interval ? `${percent(interval.low)}–${percent(interval.high)}` : '–';
    return [name, value === null ? '–' : percent(value), ...(intervals ? [range] : [])];
  });
  context.printTable(['metric', '%', ...(intervals ? ['95 % interval'] : [])], rows);
}

const percent = (share: number) => (100 * share).toFixed(2);

/** Shares of classes are shown with four digits. */
const cell = (value: ReportValue): string | number =>
  value === null
    ? '–'
    : typeof value === 'boolean'
      ? `${value}`
      : typeof value === 'string' || Number.isInteger(value)
        ? value
        : value.toFixed(4);

function resampleCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 10 && value <= 100_000) return value;
  throw new InvalidArgumentError('expected a whole number from 10 to 100000');
}
