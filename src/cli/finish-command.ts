import type { Command } from 'commander';
import { finishRun, RunFolder } from '../index.js';
import { summarizeRun } from '../runs/run-summary.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressDisplay, progressIn, progressOption, quietOption } from './progress.js';
import { ALLOW_EMPTY, exportNotes, failIfEmpty, printExportNotes, printSummary } from './run-result.js';
import { graphOfRun } from './saved-run.js';
import { type TrustFlags, trustOptions } from './trusted-run.js';

interface Flags extends ProgressFlags, TrustFlags {
  readonly json?: boolean;
  readonly allowEmpty?: boolean;
}

/** Adds `relflow finish`. */
export function finishCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('finish <folder>')
    .summary('complete a run whose parts were run with run --shard')
    .description(
      'Complete a run after all parts of `relflow run --shard i/n`: verify the checksum of every shard, write the exports and the manifest. A run that is already complete does not change.',
    )
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--json', 'print the result as JSON')
    .addOption(progressOption())
    .addOption(quietOption());
  for (const option of trustOptions()) command.addOption(option);
  command
    .addHelpText('after', '\nExample:\n  relflow finish o365-graphs')
    .action(async (path: string, { json, allowEmpty, ...show }: Flags) => {
      const folder = new RunFolder(path);
      const graph = await graphOfRun(folder, 'finish', 'finishRun(graph, folder)', { inputs: false, flags: show });
      const display = progressDisplay(context, show);
      const onProgress = (done: number, total: number) => display.update(progressIn('finishing', done, total));
      const {
        graph: nodes,
        stages,
        records,
        files,
      } = await finishRun(graph, folder, { onProgress }).finally(display.end);
      const summary = summarizeRun(nodes, stages);
      const exports = exportNotes(files);
      const noted = exports.length > 0 ? { exports } : {};
      const made = { out: path, finished: true, records, files: files.length, ...noted, summary };
      if (json) context.print(JSON.stringify(made));
      else {
        printSummary(context, summary);
        printExportNotes(context, files);
        context.print(`${records} records, ${files.length} files → ${path}`);
      }
      failIfEmpty(context, path, summary, allowEmpty);
    });
}
