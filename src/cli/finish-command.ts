import type { Command } from 'commander';
import { finishRun, RunFolder } from '../index.js';
import { summarizeRun } from '../runs/run-summary.js';
import type { CommandContext } from './command-context.js';
import { ALLOW_EMPTY, failIfEmpty, summaryLines } from './run-result.js';
import { graphOfRun } from './saved-run.js';

/** Adds `relflow finish`. */
export function finishCommand(program: Command, context: CommandContext): void {
  program
    .command('finish <folder>')
    .summary('complete a run whose parts were run with run --shard')
    .description(
      'Complete a run after all parts of `relflow run --shard i/n`: verify the checksum of every shard, write the exports and the manifest. A run that is already complete does not change.',
    )
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  relflow finish o365-graphs')
    .action(async (path: string, { json, allowEmpty }: { json?: boolean; allowEmpty?: boolean }) => {
      const folder = new RunFolder(path);
      const graph = await graphOfRun(folder, 'finish', 'finishRun(graph, folder)', { inputs: false });
      const { graph: nodes, stages, records, files } = await finishRun(graph, folder);
      const summary = summarizeRun(nodes, stages);
      if (json) context.print(JSON.stringify({ out: path, finished: true, records, files: files.length, summary }));
      else {
        for (const line of summaryLines(summary)) context.print(line);
        context.print(`${records} records, ${files.length} files → ${path}`);
      }
      failIfEmpty(context, path, summary, allowEmpty);
    });
}
