import type { Command } from 'commander';
import { finishRun, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { graphOfRun } from './saved-run.js';

/** `relflow finish OUT`. */
export function finishCommand(program: Command, context: CommandContext): void {
  program
    .command('finish <folder>')
    .summary('make a run of the parts that run --shard did')
    .description(
      'Make a run of the parts that `relflow run --shard i/n` did: check every shard against its checksum, write the exports and the manifest. Does nothing where that is done.',
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
