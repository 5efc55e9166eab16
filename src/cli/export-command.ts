import { Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportRunOptions, exportRun, RunFolder } from '../index.js';
import { exportFormat } from '../sinks/exports/export-run.js';
import type { CommandContext } from './command-context.js';
import { overwriteOption } from './overwrite-option.js';
import { number } from './recipes.js';

/** Adds `relflow export`. */
export function exportCommand(program: Command, context: CommandContext): void {
  const formats = Object.entries(EXPORT_FORMATS).map(([name, { summary }]) => `  ${name.padEnd(20)}${summary}`);
  program.addCommand(
    new Command('export')
      .argument('<folder>', 'output folder of a run')
      .summary('convert a run to another format')
      .description('Convert the scene graphs of a run to another format. The file appears when it is complete.')
      .addOption(
        new Option('-f, --format <format>', 'one of the formats below')
          .choices(Object.keys(EXPORT_FORMATS))
          .makeOptionMandatory(),
      )
      .requiredOption('--file <file>', 'file to write')
      .addOption(overwriteOption())
      .addOption(new Option('--min-confidence <number>', 'drop relations below this confidence').argParser(number))
      .option('--images <folder>', 'for a page: image folder')
      .addOption(new Option('--scenes <number>', 'for a page: number of images').argParser(number))
      .addHelpText(
        'after',
        [
          '',
          'Formats:',
          ...formats,
          '',
          'Example:',
          '  relflow export coco-graphs --format rlipv2 --file annotations.json --min-confidence 0.2',
        ].join('\n'),
      )
      .action(async (folder: string, flags: { format: string; file: string } & ExportRunOptions) => {
        const { format, file, ...options } = flags;
        const { bytes } = await exportRun(new RunFolder(folder), exportFormat(format), file, options);
        context.print(`${file}: ${bytes} bytes`);
      }),
  );
}
