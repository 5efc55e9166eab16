import type { Command } from 'commander';
import { finishRun, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { graphOfRun } from './saved-run.js';

/** Adds `relflow finish`. */
export function finishCommand(program: Command, context: CommandContext): void {
  program
    .command('finish <folder>')
    .summary('complete a run whose parts were run with run --shard')
    .description(
      'Complete a run after all parts of `relflow run --shard i/n`: verify the checksum of every shard, write the exports and the manifest. A run that is already complete does not change.',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  relflow finish o365-graphs')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const folder = new RunFolder(path);
      const graph = await graphOfRun(folder, 'finish', 'finishRun(graph, folder)', { inputs: false });
      const { records, files } = await finishRun(graph, folder);
      if (json) context.print(JSON.stringify({ out: path, finished: true, records, files: files.length }));
      else context.print(`${records} records, ${files.length} files → ${path}`);
    });
}
