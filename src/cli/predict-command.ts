import { type Command, InvalidArgumentError, Option } from 'commander';
import { BACKEND_CHOICES } from '../model/backends/backend-names.js';
import type { CommandContext } from './command-context.js';
import type { PredictFlags } from './predict-data-set.js';
import { progressOption, quietOption } from './progress.js';

const [MODEL, DATA, SCORES] = ['Model:', 'Data:', 'Scores:'];

/** Adds `relflow predict`. */
export function predictCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('predict')
    .summary('predict the relations of a benchmark with a model')
    .description(
      'Write the predictions of RLIPv2 for the images of a data set, which `relflow evaluate` scores: JSON lines as in schemas/predictions.schema.json. With the weights of an R-Tagger, the relations between the true boxes (predicate classification).',
    );
  const add = (group: string, ...options: Option[]) => {
    for (const option of options) command.addOption(option.helpGroup(group));
  };
  add(
    MODEL,
    new Option(
      '-w, --weights <file>',
      "weights: .safetensors, an index of shards, .pth, or 'sprites', the tagger that comes with relflow",
    ).makeOptionMandatory(),
    new Option('--model <preset>', 'preset of the weights, if they do not name their model, such as parsedaR50'),
    new Option('--tokenizer <folder>', "folder with roberta-base's tokenizer.json (default: that of the weights)"),
    new Option('--backend <name>', 'backend (default: auto)').choices(BACKEND_CHOICES),
    new Option('--threads <n>', 'threads of the backend').argParser(whole(1, 64)),
    new Option(
      '--size <shorter,longest>',
      'sides in pixels to which images are resized (default: those of the weights, else 800,1333)',
    ).argParser(sizeOf),
  );
  add(
    DATA,
    new Option(
      '-d, --data <file>',
      "test_hico.json, test_vcoco.json, vcoco_test.json, OI_SGG_test.json, VG-SGG-with-attri.h5, psg.json, relflow's scene graphs…",
    ).makeOptionMandatory(),
    new Option('-i, --images <folder>', 'image folder, tar file or s3:// address').makeOptionMandatory(),
    new Option('--instances <file>', "V-COCO's own form: COCO's instances (default: next to the data)"),
    new Option('--categories <file>', 'Open Images: categories_dict.json (default: next to the data)'),
    new Option('--descriptions <file>', 'Open Images, CSV: class-descriptions.csv'),
    new Option('--dicts <file>', 'VG150: its dictionary (default: next to the data)'),
    new Option('--image-data <file>', 'VG150: image_data.json (default: next to the data)'),
    new Option('--split <name>', 'VG150, PSG: train, val, test or all (default: test)'),
    new Option('--limit <n>', 'only the first n images').argParser(whole(1, 1e9)),
  );
  add(
    SCORES,
    new Option(
      '--labels <file>',
      'JSON with the lists objects and relations to ask for (default: the official ones of the data set)',
    ),
    new Option('--nf', "HICO-DET's zero-shot setting NF: only pairs whose subject is likeliest a person"),
    new Option(
      '--top <n>',
      "an image's n highest scores stay, the others become 0, for smaller files; not for V-COCO, whose evaluator reads all",
    ).argParser(whole(1, 1e6)),
  );
  command
    .requiredOption('-o, --out <file>', 'the file to write')
    .option('--resume', 'continue an interrupted file')
    .option('--overwrite', 'replace the file, or an interrupted one')
    .option('--json', 'print the result as JSON')
    .addOption(progressOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  relflow predict --weights run/weights.safetensors --data test_hico.json --images images --out hico.jsonl',
        '  relflow predict --weights parseda.pth --model parsedaR50 --tokenizer roberta-base --data test_hico.json --images images --nf --out nf.jsonl',
        '  relflow predict --weights r-tagger.pth --model rTaggerR50 --tokenizer roberta-base --data VG-SGG-with-attri.h5 --images VG_100K --out predcls.jsonl',
      ].join('\n'),
    )
    .action(async (flags: PredictFlags) => {
      const { predictDataSet } = await import('./predict-data-set.js');
      await predictDataSet(context, flags);
    });
}

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };

function sizeOf(text: string): readonly [number, number] {
  const [, shorter, longest] = /^(\d{1,5}),(\d{1,5})$/.exec(text) ?? [];
  if (shorter === undefined || Number(shorter) < 1 || Number(longest) < Number(shorter))
    throw new InvalidArgumentError('Expected two sides in pixels, the shorter one first, such as 800,1333.');
  return [Number(shorter), Number(longest)];
}
