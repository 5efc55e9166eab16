import { Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportOptions, exportRun, RunFolder } from '../index.js';
import { exportFormat } from '../sinks/exports/export-run.js';
import type { CommandContext } from './command-context.js';
import { number } from './recipes.js';

/** `relflow export RUN --format FORMAT --file FILE`. */
export function exportCommand(program: Command, context: CommandContext): void {
  const formats = Object.entries(EXPORT_FORMATS).map(([name, { summary }]) => `  ${name.padEnd(20)}${summary}`);
  program.addCommand(
    new Command('export')
      .argument('<folder>', 'output folder of a run')
      .summary('write a run in another form')
      .description('Write a run in another form. The file appears when it is whole.')
      .requiredOption('-f, --format <format>', 'see below')
      .requiredOption('--file <file>', 'where to')
      .addOption(new Option('--min-confidence <number>', 'leave out relations with less').argParser(number))
      .option('--images <folder>', 'for a page: where the images are')
      .addOption(new Option('--scenes <number>', 'for a page: how many images').argParser(number))
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
      .action(async (folder: string, flags: { format: string; file: string } & ExportOptions) => {
        const { format, file, ...options } = flags;
        const { bytes } = await exportRun(new RunFolder(folder), exportFormat(format), file, options);
        context.print(`${file}: ${bytes} bytes`);
      }),
  );
}
