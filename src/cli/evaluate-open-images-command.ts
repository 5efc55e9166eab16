import { type Command, Option } from 'commander';
import { OptionError } from '../errors.js';
import { openImagesWithNames } from '../sources/companion-files.js';
import { type BenchmarkFlags, benchmarkOptions, evaluatorOptions, printBenchmark } from './benchmark-options.js';
import type { CommandContext } from './command-context.js';

interface Flags extends BenchmarkFlags {
  readonly categories?: string;
  readonly evaluator: 'rlipv2' | 'challenge';
  readonly compat?: boolean;
  readonly nms: boolean;
}

/** Adds `relflow evaluate open-images`. */
export function evaluateOpenImagesCommand(evaluate: Command, context: CommandContext): void {
  const command = evaluate
    .command('open-images <predictions> <annotations>')
    .summary("Open Images relations: RLIPv2's score or the challenge's")
    .description(
      "Score predictions on Open Images' relations: recall, mAP and weighted mAP of relations and phrases and the weighted score, as RLIPv2's evaluator or the challenge's computes them; the two differ in almost everything. <predictions> is a JSONL file as in schemas/predictions.schema.json, <annotations> is OI_SGG_test.json or vrd-test-anno.json.",
    )
    .option(
      '--categories <file>',
      'names of the classes of the annotations, a JSON object with obj and rel (default: categories_dict.json next to the annotations)',
    )
    .addOption(new Option('--evaluator <name>', 'whose numbers').choices(['rlipv2', 'challenge']).default('rlipv2'))
    .option('--compat', "look up the overlaps of phrases by mistake, as RLIPv2's published numbers do")
    .option('--no-nms', 'without suppression of near copies of pairs and phrases');
  benchmarkOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate open-images predictions.jsonl OI_SGG_test.json --categories categories.json --compat\n  relflow evaluate open-images predictions.jsonl vrd-test-anno.json --categories categories_dict.json --evaluator challenge',
    )
    .action((predictions: string, annotations: string, flags: Flags) =>
      action(context, predictions, annotations, flags),
    );
}

async function action(context: CommandContext, file: string, annotations: string, flags: Flags): Promise<void> {
  const { evaluator, compat, nms } = flags;
  if (evaluator === 'challenge' && (compat || !nms))
    throw new OptionError('evaluate open-images', '--compat and --no-nms have no effect with --evaluator challenge');
  const { categories } = await openImagesWithNames(annotations, flags.categories);
  if (categories === undefined)
    throw new OptionError(
      'evaluate open-images',
      'expected annotations in JSON, and the names of their classes: --categories, or categories_dict.json next to the annotations',
    );
  const { evaluateOpenImages, evaluateOpenImagesChallenge, openPredictions, readOpenImagesTruth } = await import(
    '../evaluation/index.js'
  );
  const predictions = await openPredictions(file);
  const truth = await readOpenImagesTruth(annotations, categories);
  const options = { truth, ...(await evaluatorOptions(flags)) };
  const evaluation =
    evaluator === 'challenge'
      ? await evaluateOpenImagesChallenge(predictions, options)
      : await evaluateOpenImages(predictions, { ...options, suppress: nms, compat: compat ?? false });
  await printBenchmark(
    context,
    evaluation,
    { predictions: file, annotations, categories },
    predictions.header.settings,
    flags,
  );
}
