import { Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportRunOptions, exportRun, OptionError, RunFolder } from '../index.js';
import { exportFormat } from '../sinks/exports/export-formats.js';
import type { ExportResult } from '../sinks/exports/export-graphs.js';
import { IMAGE_FILES } from '../sinks/exports/export-options.js';
import { noteText } from '../sinks/exports/note-text.js';
import { readNames } from '../sinks/exports/read-names.js';
import { RELATION_FIELDS } from '../sinks/relation-expression.js';
import type { CommandContext } from './command-context.js';
import { overwriteOption } from './overwrite-option.js';
import { number } from './recipes.js';
import { visibleText } from './visible-text.js';

/** Flags of `relflow export` and `relflow convert`. */
export interface ExportFlags extends Omit<ExportRunOptions, 'categories' | 'predicates'> {
  readonly out?: string;
  readonly categories?: string;
  readonly predicates?: string;
  readonly json?: boolean;
}

/** Adds `relflow export`. */
export function exportCommand(program: Command, context: CommandContext): void {
  const command = new Command('export')
    .argument('<folder>', 'output folder of a run')
    .summary('convert a run to another format')
    .description(
      'Convert the scene graphs of a run to another format. The file or folder appears when it is complete. What the format cannot carry is counted and said.',
    )
    .addOption(
      new Option('-f, --format <format>', 'one of the formats below')
        .choices(Object.keys(EXPORT_FORMATS))
        .makeOptionMandatory(),
    );
  addExportOptions(command)
    .addOption(new Option('--file <file>', 'the same as --out').hideHelp())
    .addHelpText(
      'after',
      exportHelp([
        'relflow export coco-graphs --format rlipv2 --out annotations.json --min-confidence 0.2',
        'relflow export coco-graphs --format huggingface --out dataset --images val2017 --split 0.8/0.1/0.1',
        `relflow export coco-graphs --format coco --out relations.json --where 'predicate != "on" and confidence >= 0.5'`,
      ]),
    )
    .action(async (folder: string, { format, file, ...flags }: ExportFlags & { format: string; file?: string }) => {
      const name = exportFormat(format);
      const { out = file, json, ...options } = flags;
      if (out === undefined) throw new OptionError('export', '--out is missing, expected a file or folder to write');
      const result = await exportRun(new RunFolder(folder), name, out, await readOptions(options));
      printExport(context, out, result, json);
    });
  program.addCommand(command);
}

/** Adds the options that all exports have. */
export function addExportOptions(command: Command): Command {
  const selection = 'Selection:';
  const content = 'Content:';
  return command
    .option(
      '-o, --out <path>',
      'file to write; a folder for a format of several files and with --split; or s3://bucket/key',
    )
    .addOption(overwriteOption())
    .option('--json', 'print the files and counts as JSON')
    .addOption(
      new Option('--min-confidence <number>', 'drop relations below this confidence')
        .argParser(number)
        .helpGroup(selection),
    )
    .addOption(
      new Option('--where <expression>', 'keep only relations for which this holds, see below').helpGroup(selection),
    )
    .addOption(new Option('--related-only', 'drop images in which no relation is left').helpGroup(selection))
    .addOption(
      new Option('--split <shares>', "divide the images, such as '0.8/0.1/0.1' or 'train=0.9,dev=0.1'").helpGroup(
        selection,
      ),
    )
    .addOption(
      new Option('--seed <number>', 'seed of the split and of the sample (default: 0)')
        .argParser(number)
        .helpGroup(selection),
    )
    .addOption(
      new Option(
        '--categories <file>',
        'names of the categories, in the order of their ids; drops objects of others',
      ).helpGroup(content),
    )
    .addOption(
      new Option('--predicates <file>', 'names of the predicates, in the order of their ids; drops others').helpGroup(
        content,
      ),
    )
    .addOption(
      new Option(
        '--images <folder>',
        'image folder, tar file or s3:// address, for a page and for embedded, copied or linked images',
      ).helpGroup(content),
    )
    .addOption(
      new Option('--image-files <mode>', 'what to do with image files (default: as the format does)')
        .choices([...IMAGE_FILES])
        .helpGroup(content),
    )
    .addOption(new Option('--license <name>', 'license of the data for cards, such as cc-by-4.0').helpGroup(content))
    .addOption(new Option('--scenes <number>', 'for a page: number of images').argParser(number).helpGroup(content))
    .addOption(
      new Option('--sample', 'for a page: images at random, by --seed (default: the first with relations)').helpGroup(
        content,
      ),
    );
}

/** Text of the help: formats, fields and examples. */
export function exportHelp(examples: readonly string[]): string {
  return [
    '',
    'Formats:',
    ...summaryLines(EXPORT_FORMATS),
    '',
    "Fields of --where, with =, !=, <, <=, >, >=, in [...], like '%...%', and, or, not:",
    ...summaryLines(RELATION_FIELDS, longest(EXPORT_FORMATS)),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((example) => `  ${example}`),
  ].join('\n');
}

/** Lists names with their summaries, which begin in one column: after the longest name, unless another length is given. */
export function summaryLines(
  entries: Readonly<Record<string, { readonly summary: string }>>,
  length = longest(entries),
): string[] {
  return Object.entries(entries).map(([name, { summary }]) => `  ${name.padEnd(length + 2)}${summary}`);
}

const longest = (entries: object): number => Math.max(...Object.keys(entries).map((name) => name.length));

/** Reads the files that options name. */
export async function readOptions({
  categories,
  predicates,
  ...options
}: Omit<ExportFlags, 'out' | 'json'>): Promise<ExportRunOptions> {
  return {
    ...options,
    ...(categories !== undefined && { categories: await readNames(categories) }),
    ...(predicates !== undefined && { predicates: await readNames(predicates) }),
  };
}

/** Prints what an export has written, and what the format could not carry. */
export function printExport(context: CommandContext, path: string, result: ExportResult, json = false): void {
  const { files, reused, bytes, images, relations, notes } = result;
  if (json) {
    context.print(JSON.stringify({ path, images, relations, bytes, notes, files }));
    return;
  }
  const count = (number: number) => number.toLocaleString('en-US');
  const list = files.length === 1 ? '' : `${count(files.length)} files, `;
  context.print(
    `${path}: ${list}${count(bytes)} bytes from ${count(images)} images with ${count(relations)} relations`,
  );
  if (reused > 0) context.printNote(`went on with ${count(reused)} files that the interrupted export had finished`);
  if (images === 0)
    context.printNote('no image is left: the export is empty; check --where, --min-confidence and --related-only');
  else if (relations === 0)
    context.printNote('no relation is left; check --where, --min-confidence, --categories and --predicates');
  for (const [reason, note] of Object.entries(notes)) context.printNote(visibleText(noteText(reason, note)));
}
