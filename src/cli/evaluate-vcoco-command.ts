import type { Command } from 'commander';
import { InputError, OptionError } from '../errors.js';
import { readSmallJson } from '../files/read-small-file.js';
import { vcocoWithInstances } from '../sources/companion-files.js';
import { type BenchmarkFlags, benchmarkOptions, evaluatorOptions, printBenchmark } from './benchmark-options.js';
import type { CommandContext } from './command-context.js';

interface Flags extends BenchmarkFlags {
  readonly instances?: string;
  readonly split?: string;
  readonly trainingTime?: boolean;
  readonly prior?: string;
}

/** Adds `relflow evaluate vcoco`. */
export function evaluateVcocoCommand(evaluate: Command, context: CommandContext): void {
  const command = evaluate
    .command('vcoco <predictions> <annotations>')
    .summary('V-COCO: role and agent AP of the official evaluator')
    .description(
      "Score predictions on V-COCO: role average precision in scenarios 1 and 2, with and without 'point', and agent average precision, as the official evaluator computes them; or what RLIPv2 prints while it trains. <predictions> is a JSONL file as in schemas/predictions.schema.json, <annotations> is vcoco_test.json, or with --training-time test_vcoco.json.",
    )
    .option('--instances <file>', "COCO's boxes, instances_vcoco_all_2014.json (default: next to the annotations)")
    .option('--split <file>', 'vcoco_test.ids, to check that the annotations have its images')
    .option('--training-time', "RLIPv2's training-time mAP, from the converted annotations test_vcoco.json")
    .option(
      '--prior <file>',
      'possible combinations for --training-time: a JSON list of 29 lists of 80 zeros and ones',
    );
  benchmarkOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate vcoco predictions.jsonl vcoco_test.json --instances instances_vcoco_all_2014.json\n  relflow evaluate vcoco predictions.jsonl test_vcoco.json --training-time --prior corre_vcoco.json',
    )
    .action((predictions: string, annotations: string, flags: Flags) =>
      (flags.trainingTime ? scoreTraining : scoreOfficial)(context, predictions, annotations, flags),
    );
}

async function scoreOfficial(context: CommandContext, file: string, annotations: string, flags: Flags): Promise<void> {
  const { split, prior } = flags;
  if (prior !== undefined) throw new OptionError('evaluate vcoco', '--prior has no effect without --training-time');
  const { instances } = await vcocoWithInstances(annotations, flags.instances);
  if (instances === undefined)
    throw new OptionError(
      'evaluate vcoco',
      'expected --instances, the file instances_vcoco_all_2014.json with the boxes',
    );
  const { evaluateVcoco, openPredictions, readVcocoTruth } = await import('../evaluation/index.js');
  const predictions = await openPredictions(file);
  const truth = await readVcocoTruth({ annotations, instances, ...(split !== undefined && { split }) });
  const evaluation = await evaluateVcoco(predictions, { truth, file: annotations, ...(await evaluatorOptions(flags)) });
  const files = { predictions: file, annotations, instances, ...(split !== undefined && { split }) };
  await printBenchmark(context, evaluation, files, predictions.header.settings, flags);
}

async function scoreTraining(context: CommandContext, file: string, annotations: string, flags: Flags): Promise<void> {
  const { prior, instances, split } = flags;
  if (instances !== undefined || split !== undefined)
    throw new OptionError('evaluate vcoco', '--instances and --split have no effect with --training-time');
  const { evaluateVcocoTraining, openPredictions, readHoiImages } = await import('../evaluation/index.js');
  const predictions = await openPredictions(file);
  const evaluation = await evaluateVcocoTraining(predictions, {
    images: await readHoiImages(annotations),
    file: annotations,
    ...(prior !== undefined && { prior: await readPrior(prior) }),
    ...(await evaluatorOptions(flags)),
  });
  const files = { predictions: file, annotations, ...(prior !== undefined && { prior }) };
  await printBenchmark(context, evaluation, files, predictions.header.settings, flags);
}

async function readPrior(file: string): Promise<readonly (readonly number[])[]> {
  const rows = await readSmallJson(file);
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === 80 && row.every((cell) => cell === 0 || cell === 1);
  if (Array.isArray(rows) && rows.length === 29 && rows.every(isRow)) return rows;
  throw new InputError(file, 'is not a list of 29 lists of 80 zeros and ones');
}
