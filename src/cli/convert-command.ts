import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { EXPORT_FORMATS, exportGraphs, OptionError } from '../index.js';
import { readGraphs } from '../runs/read-graphs.js';
import { exportFormat } from '../sinks/exports/export-formats.js';
import { NoteCounts } from '../sinks/exports/note-counts.js';
import { INPUT_FORMS, type InputFormOptions, inputSource } from '../sources/input-forms.js';
import type { CommandContext } from './command-context.js';
import {
  addExportOptions,
  type ExportFlags,
  exportHelp,
  printExport,
  readOptions,
  summaryLines,
} from './export-command.js';
import { visibleText } from './visible-text.js';

/** Adds `relflow convert`. */
export function convertCommand(program: Command, context: CommandContext): void {
  const command = new Command('convert')
    .argument('<input>', 'annotation file, glob or folder')
    .summary('convert a data set from one format to another')
    .description(
      'Convert a data set with relations, or with detections alone, to another format without a run. What is refused in the input and what the output cannot carry is counted and said.',
    )
    .addOption(
      new Option('--from <form>', 'form of the input, see below')
        .choices(Object.keys(INPUT_FORMS))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--to <format>', 'format of the output, see below').choices(formatsOfGraphs()).makeOptionMandatory(),
    )
    .addOption(new Option('--instances <files>', "for vcoco: COCO's instances (default: next to the input)"))
    .addOption(
      new Option(
        '--names <file>',
        'for open-images: categories_dict.json (default: next to the input) or, of CSV, class descriptions',
      ),
    );
  addExportOptions(command)
    .addHelpText('after', ['', 'Forms of the input:', ...summaryLines(INPUT_FORMS)].join('\n'))
    .addHelpText(
      'after',
      exportHelp([
        'relflow convert psg.json --from psg --to coco --out psg-coco.json',
        'relflow convert test_hico.json --from hico --images images --to huggingface --out hico --license other',
      ]),
    )
    .action(async (input: string, flags: ExportFlags & InputFormOptions & { from: string; to: string }) => {
      const { from, to, out, json, instances, names, ...options } = flags;
      if (out === undefined) throw new OptionError('convert', '--out is missing, expected a file or folder to write');
      const source = await inputSource('convert', from, input, flags);
      const files = await source.files();
      // A format may stop a reading and begin again; what counts is the first one to the end.
      let refused = new NoteCounts();
      let isWhole = false;
      const graphs = async function* () {
        const own = new NoteCounts();
        try {
          yield* readGraphs(source, isWhole ? undefined : own);
          if (!isWhole) refused = own;
          isWhole = true;
        } finally {
          if (!isWhole) refused = own;
        }
      };
      const about = { name: basename(input), inputs: files.map((file) => ({ file: basename(file) })), stages: [] };
      const { images, ...rest } = await readOptions(options);
      const format = exportFormat(to);
      const result = await exportGraphs({ graphs, about }, format, out, {
        ...rest,
        ...(images !== undefined && EXPORT_FORMATS[format].takes?.includes('images') && { images }),
      });
      for (const [reason, { count, example }] of refused.counts)
        context.printNote(
          visibleText(`input: ${count.toLocaleString('en-US')} × ${reason}${example && `, first: ${example}`}`),
        );
      printExport(context, out, result, json);
    });
  program.addCommand(command);
}

const formatsOfGraphs = () =>
  Object.entries(EXPORT_FORMATS).flatMap(([name, { sink }]) => (sink === 'scene-graphs' ? name : []));
