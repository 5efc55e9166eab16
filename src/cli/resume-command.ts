import { type Command, Option } from 'commander';
import { OptionError, OutputError, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { executeRun, type ShowFlags } from './execute-run.js';
import { progressOption, quietOption } from './progress.js';
import { number } from './recipes.js';
import { ALLOW_EMPTY } from './run-result.js';
import { isSaved } from './saved.js';
import { rebuild } from './saved-run.js';
import { type TrustFlags, trustedRun, trustOptions } from './trusted-run.js';

interface ResumeFlags extends ShowFlags, TrustFlags {
  readonly concurrency?: number;
  readonly budget?: number;
  readonly allowEmpty?: boolean;
  readonly recomputeDamaged?: boolean;
}

/** Adds `relflow resume`. */
export function resumeCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('resume <folder>')
    .summary('resume an interrupted run')
    .description(
      'Resume an interrupted run. Complete shards are not processed again, and the files are byte for byte those of an uninterrupted run. Relative paths in the options of the run are resolved against the current folder, so resume where the run was started.',
    )
    .addOption(new Option('--concurrency <number>', 'records in flight per stage').argParser(number))
    .addOption(
      new Option('--budget <number>', 'for runs with models: the most that this process may spend').argParser(number),
    )
    .option(
      '--recompute-damaged',
      'if the file of a complete shard is missing or was changed, write it and the later shards again',
    )
    .option('--allow-empty', ALLOW_EMPTY);
  for (const option of trustOptions()) command.addOption(option);
  command
    .option('--json', 'print the result as JSON')
    .addOption(progressOption())
    .addOption(quietOption())
    .addHelpText('after', '\nExample:\n  relflow resume coco-graphs')
    .action(async (out: string, flags: ResumeFlags) => {
      const folder = new RunFolder(out);
      const state = await folder.state();
      if (!state) throw new OutputError(out, 'contains no run to resume');
      if (!isSaved(state.options)) {
        throw new OptionError(
          'resume',
          `the run '${state.pipeline}' was composed in code; resume it there, with run(graph, { resume: true })`,
        );
      }
      const complete = await folder.completeShards();
      if ((await folder.extent()) || [...complete].some((shard) => shard >= complete.size)) {
        throw new OptionError(
          'resume',
          'this run is split over several processes; continue with run --shard or run --queue, then relflow finish (see docs/scale.md)',
        );
      }
      const { budget } = flags;
      // The address, the token and the budget of a model do not belong to the identity of a run.
      const trusted = await trustedRun('resume', out, state, state.options, flags);
      const saved = { ...trusted, options: { ...trusted.options, ...(budget !== undefined && { budget }) } };
      const graph = await rebuild(saved);
      const { records, bytes, gzip } = state.sharding;
      await executeRun(context, graph, saved, flags, {
        out,
        resume: true,
        shardRecords: records,
        ...(bytes !== null && { shardBytes: bytes }),
        gzip,
        allowEmpty: flags.allowEmpty ?? false,
        recomputeDamaged: flags.recomputeDamaged ?? false,
        ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
      });
    });
}
