import { type Command, Option } from 'commander';
import { OptionError, OutputError, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { executeRun, type ShowFlags } from './execute-run.js';
import { number } from './recipes.js';
import { isSaved, rebuild } from './saved-run.js';

interface ResumeFlags extends ShowFlags {
  readonly concurrency?: number;
  readonly budget?: number;
  readonly endpointUrl?: string;
}

/** `relflow resume OUT`. */
export function resumeCommand(program: Command, context: CommandContext): void {
  program
    .command('resume <folder>')
    .summary('go on with an interrupted run')
    .description(
      'Go on with an interrupted run. Shards that are whole are not done again; the result is what an uninterrupted run gives, byte by byte. Relative paths of the run count from the folder where it was begun.',
    )
    .addOption(new Option('--concurrency <number>', 'records at once in each stage').argParser(number))
    .addOption(new Option('--budget <number>', 'where models are asked: what this process may spend').argParser(number))
    .option('--endpoint-url <url>', 'where models are asked: a server of the same model at another address')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress')
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
      const whole = await folder.completeShards();
      if ((await folder.extent()) || [...whole].some((shard) => shard >= whole.size)) {
        throw new OptionError(
          'resume',
          'several processes do this run; go on with run --shard or run --queue, then relflow finish (docs/scale.md)',
        );
      }
      const { budget, endpointUrl } = flags;
      // How and where a model is asked is no part of what the run is.
      const changed = { ...(budget !== undefined && { budget }), ...(endpointUrl !== undefined && { endpointUrl }) };
      const saved = { ...state.options, options: { ...state.options.options, ...changed } };
      const graph = await rebuild(saved);
      const { records, bytes, gzip } = state.sharding;
      await executeRun(context, graph, saved, flags, {
        out,
        resume: true,
        shardRecords: records,
        ...(bytes !== null && { shardBytes: bytes }),
        gzip,
        ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
      });
    });
}
