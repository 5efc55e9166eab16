import type { Command } from 'commander';
import { OptionError } from '../index.js';
import { refusedImages } from '../training/data/refused-images.js';
import { readTrainingConfig } from '../training/settings/read-training-config.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressOption, quietOption } from './progress.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';
import { printDryRun, trainingView } from './training-view.js';

interface Flags extends ProgressFlags {
  readonly config: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const TASKS = {
  tagger: {
    summary: 'train an R-Tagger with denoising',
    description: 'Train an R-Tagger with denoising: it predicts the relations of given pairs of boxes.',
  },
  rlip: {
    summary: 'pre-train RLIPv2 (ParSeD, ParSeDA)',
    description:
      'Pre-train RLIPv2 on scene graphs: it finds pairs of subjects and objects and their relations, for any labels.',
  },
  finetune: {
    summary: 'fine-tune RLIPv2 for a closed vocabulary',
    description:
      'Fine-tune RLIPv2 from pre-trained weights for a closed vocabulary, on all images or a few, with or without held-out relations.',
  },
} as const;

type Task = keyof typeof TASKS;

/** Adds `relflow train tagger`, `rlip` and `finetune`. */
export function trainCommand(program: Command, context: CommandContext): void {
  const train = program
    .command('train')
    .summary('train a model')
    .description('Train a model on scene graphs and images.')
    .addHelpText('after', '\nExample:\n  relflow train tagger --config tagger.json --dry-run');
  for (const task of Object.keys(TASKS) as Task[])
    train
      .command(task)
      .summary(TASKS[task].summary)
      .description(
        `${TASKS[task].description} The folder receives log.jsonl, checkpoints/ and, at the end, curves.html and weights.safetensors. Ctrl-C stops after the current step; --resume continues to the same weights, and may lengthen the training.`,
      )
      .requiredOption('-c, --config <file>', 'the configuration, JSON (schemas/training.schema.json)')
      .option('-o, --out <dir>', 'the folder to write to')
      .option('--resume', 'continue from the newest checkpoint in the folder')
      .option('--overwrite', 'remove an earlier training from the folder first')
      .option('--dry-run', 'run one step, print its shapes and memory; write nothing')
      .option('--json', 'print the result as JSON')
      .addOption(progressOption())
      .addOption(quietOption())
      .addHelpText(
        'after',
        `\nExamples:\n  relflow train ${task} --config ${task}.json --dry-run\n  relflow train ${task} --config ${task}.json --out run\n  relflow train ${task} --config ${task}.json --out run --resume`,
      )
      .action((flags: Flags) => trainAction(context, task, flags));
}

async function trainAction(context: CommandContext, task: Task, flags: Flags): Promise<void> {
  const { config: file, out, resume = false, overwrite = false, dryRun: dry, json } = flags;
  if (!dry && out === undefined)
    throw new OptionError(`train ${task}`, '--out is missing, expected the folder to write to');
  const config = await readTrainingConfig(file);
  if (config.task !== task) throw new OptionError(file, `/task is ${config.task}, but the command is train ${task}`);
  const { dryRun, train } = await import('../training/index.js');
  const interrupt = stopOnInterrupt(context, () =>
    context.printNote('stopping after this step; press Ctrl-C again to stop now'),
  );
  // A step may take minutes, and nothing of it is kept.
  interrupt.kill.addEventListener('abort', () => context.exit(130));
  try {
    if (dry) {
      const result = await dryRun(config, { signal: interrupt.stop });
      if (json) context.printText(JSON.stringify(result, null, 2));
      else printDryRun(context, result);
      return;
    }
    const view = trainingView(context, flags);
    const { benchmarkEvaluator } = await import('./benchmark-evaluator.js');
    const evaluator = config.evaluation && (await benchmarkEvaluator(config, config.evaluation));
    const options = {
      out: out!,
      resume,
      overwrite,
      stop: interrupt.stop,
      onProgress: view.update,
      ...(evaluator && { evaluator }),
    };
    const result = await train(config, options).finally(() => view.end());
    const { finished, steps, loss, weights, checkpoint, refused } = result;
    if (json) context.print(JSON.stringify(result));
    else {
      const leftOut = refusedImages(refused);
      if (leftOut !== '') context.print(`left out of the training: ${leftOut}`);
      if (finished) context.print(`${steps} steps, loss ${loss?.toFixed(3) ?? '–'}: ${weights}`);
    }
    if (!finished) {
      context.printNote(`stopped after step ${steps}: ${checkpoint}; pass --resume to continue`);
      context.exitCode = 130;
    }
  } finally {
    interrupt.dispose();
  }
}
