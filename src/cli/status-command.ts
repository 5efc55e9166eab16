import { resolve } from 'node:path';
import type { Command } from 'commander';
import { RunFolder } from '../index.js';
import type { RunStatus } from '../queue/index.js';
import type { CommandContext } from './command-context.js';
import { queueOption } from './queue-option.js';

/** Adds `relflow status`. */
export function statusCommand(program: Command, context: CommandContext): void {
  program
    .command('status <folder>')
    .summary('show the progress of a queued run')
    .description('Show the progress of a queued run: its shards and records, and the jobs and workers of each lane.')
    .addOption(queueOption())
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  relflow status o365-graphs --queue redis://queue:6379')
    .action(async (path: string, { queue, json }: { queue: string; json?: boolean }) => {
      const { queueServer, RunWatch } = await import('../queue/index.js');
      const watch = await RunWatch.open(queueServer(queue), new RunFolder(resolve(path)));
      try {
        const status = await watch.status();
        if (json) context.print(JSON.stringify(status));
        else showStatus(context, status);
      } finally {
        await watch.close();
      }
    });
}

function showStatus(context: CommandContext, { out, state, reason, shards, records, reading, lanes }: RunStatus): void {
  context.print(`${out}: ${state}${reason === undefined ? '' : `: ${reason}`}`);
  if (reading) context.print(`reading: ${reading.phase} ${reading.done} of ${reading.total ?? '?'}`);
  context.print(
    `${shards.complete} of ${shards.total ?? '?'} shards, ${records.done} of ${records.total ?? '?'} records`,
  );
  const rows = lanes.map((lane) => [lane.lane, lane.workers, lane.waiting, lane.active, lane.delayed, lane.failed]);
  context.printTable(['jobs of all runs', 'workers', 'waiting', 'active', 'delayed', 'failed'], rows);
}
