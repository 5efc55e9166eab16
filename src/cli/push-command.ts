import type { Command } from 'commander';
import { pushRun, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressDisplay, progressIn, progressOption, quietOption } from './progress.js';

/** Adds `relflow push`. */
export function pushCommand(program: Command, context: CommandContext): void {
  program
    .command('push <folder> <address>')
    .summary('write the complete shards of a run to an S3-compatible store')
    .description(
      'Write the complete shards of a run to an S3-compatible store, and all of it if it is finished. Machines without a common folder push their parts to the same address, from which `relflow pull` reads them. Repeat it to write what is new.',
    )
    .option('--json', 'print the result as JSON')
    .addOption(progressOption())
    .addOption(quietOption())
    .addHelpText('after', '\nExample:\n  relflow push part-7 s3://bucket/o365-graphs')
    .action(async (path: string, address: string, { json, ...show }: ProgressFlags & { readonly json?: boolean }) => {
      const display = progressDisplay(context, show);
      const onProgress = (done: number, total: number) => display.update(progressIn('checking', done, total));
      const pushed = await pushRun(new RunFolder(path), address, { onProgress }).finally(display.end);
      const { shards, skipped, finished } = pushed;
      if (json) context.print(JSON.stringify({ address, ...pushed }));
      else
        context.print(
          `${address}: ${shards} shards written, ${skipped} were there; the run is ${finished ? 'finished' : 'not finished'}`,
        );
    });
}
