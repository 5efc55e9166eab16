import { type Command, Option } from 'commander';
import { InputError, OptionError } from '../errors.js';
import { readSmallJson } from '../files/read-small-file.js';
import { type BenchmarkFlags, benchmarkOptions, evaluatorOptions, printBenchmark } from './benchmark-options.js';
import type { CommandContext } from './command-context.js';

interface Flags extends BenchmarkFlags {
  readonly training?: string;
  readonly setting?: string;
  readonly unseen?: string;
  readonly nms: boolean;
  readonly mask: boolean;
  readonly knownObject?: boolean;
}

/** Adds `relflow evaluate hico`. */
export function evaluateHicoCommand(evaluate: Command, context: CommandContext): void {
  const command = evaluate
    .command('hico <predictions> <annotations>')
    .summary("HICO-DET: mAP as RLIPv2's evaluator computes it")
    .description(
      "Score predictions on HICO-DET: mAP over all classes, over rare and non-rare ones (or unseen and seen ones of a zero-shot setting) and the mean of the highest recalls, as RLIPv2's evaluator computes them. <predictions> is a JSONL file as in schemas/predictions.schema.json, <annotations> is test_hico.json.",
    )
    .option('--training <file>', 'trainval_hico.json, whose counts decide which classes are rare')
    .addOption(
      new Option('--setting <name>', 'report unseen and seen combinations of a zero-shot setting').choices([
        'UC-RF',
        'UC-NF',
        'UO',
        'UV',
      ]),
    )
    .option('--unseen <file>', 'as --setting, with a JSON list of indices, 0 to 599')
    .option('--no-nms', 'without suppression of near copies of pairs')
    .option('--no-mask', 'without the mask of the 600 combinations')
    .option('--known-object', "the original MATLAB evaluation's Known Object setting, which RLIPv2 does not report");
  benchmarkOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate hico predictions.jsonl test_hico.json --training trainval_hico.json\n  relflow evaluate hico predictions.jsonl test_hico.json --setting UC-RF --bootstrap --json',
    )
    .action((predictions: string, annotations: string, flags: Flags) =>
      action(context, predictions, annotations, flags),
    );
}

async function action(context: CommandContext, file: string, annotations: string, flags: Flags): Promise<void> {
  const { training, setting, unseen: list, nms, mask, knownObject } = flags;
  if (setting !== undefined && list !== undefined)
    throw new OptionError('evaluate hico', '--setting and --unseen exclude each other');
  const { countHicoTriplets, evaluateHico, openPredictions, readHicoImages } = await import('../evaluation/index.js');
  const predictions = await openPredictions(file);
  const unseen = list === undefined ? (setting as 'UO' | undefined) : await readIndices(list);
  const evaluation = await evaluateHico(predictions, {
    images: await readHicoImages(annotations),
    file: annotations,
    ...(training !== undefined && { training: await countHicoTriplets(training) }),
    ...(unseen !== undefined && { unseen }),
    suppress: nms,
    mask,
    knownObject: knownObject ?? false,
    ...(await evaluatorOptions(flags)),
  });
  const files = { predictions: file, annotations, ...(training && { training }), ...(list && { unseen: list }) };
  await printBenchmark(context, evaluation, files, predictions.header.settings, flags);
}

async function readIndices(file: string): Promise<readonly number[]> {
  const indices = await readSmallJson(file);
  if (Array.isArray(indices) && indices.every((index) => Number.isInteger(index) && index >= 0 && index < 600))
    return indices;
  throw new InputError(file, 'is not a list of indices of combinations, expected whole numbers from 0 to 599');
}
