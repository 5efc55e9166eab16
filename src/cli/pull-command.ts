import type { Command } from 'commander';
import { InputError, pullRun, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressDisplay, progressIn, progressOption, quietOption } from './progress.js';
import { visibleText } from './visible-text.js';

/** The number of refused shards that are named. */
const MOST_NAMED = 10;

/** Adds `relflow pull`. */
export function pullCommand(program: Command, context: CommandContext): void {
  program
    .command('pull <address> <folder>')
    .summary('read the shards of a run from an S3-compatible store')
    .description(
      'Read the shards of a run that `relflow push` wrote into a folder, and compare each file with its checksum; then `relflow finish` completes the run. Repeat it to read what is new. Exits with 1 when a shard is damaged or lacks a file.',
    )
    .option('--json', 'print the result as JSON')
    .addOption(progressOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      '\nExample:\n  relflow pull s3://bucket/o365-graphs o365-graphs\n  relflow finish o365-graphs --trust',
    )
    .action(async (address: string, path: string, { json, ...show }: ProgressFlags & { readonly json?: boolean }) => {
      const display = progressDisplay(context, show);
      const onProgress = (done: number, total: number) => display.update(progressIn('reading', done, total));
      const pulled = await pullRun(address, new RunFolder(path), { onProgress }).finally(display.end);
      const { shards, skipped, refused, finished } = pulled;
      if (json) context.print(JSON.stringify({ folder: path, ...pulled }));
      else
        context.print(
          `${path}: ${shards} shards read, ${skipped} were there; the run is ${finished ? 'finished' : 'not finished'}`,
        );
      for (const { shard, problem } of refused.slice(0, MOST_NAMED))
        context.printNote(visibleText(`shard ${shard}: ${problem}`));
      if (refused.length > 0)
        throw new InputError(
          address,
          `${refused.length} shards cannot be used; push them again from the machines that made them`,
        );
    });
}
