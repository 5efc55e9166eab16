import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { lockFolder } from '../files/lock-folder.js';
import { OptionError, RunFolder } from '../index.js';
import { print, printNote } from './output.js';
import { dataSets, readTrainingConfig } from './read-training-config.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';
import { printDryRun, trainingView } from './training-view.js';

interface Flags {
  readonly config: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const TASKS = {
  tagger: {
    summary: 'train an R-Tagger with denoising',
    description: 'Train an R-Tagger with denoising: given pairs of boxes, it says which relations hold.',
  },
  rlip: {
    summary: 'pre-train RLIPv2 (ParSeD, ParSeDA)',
    description:
      'Pre-train RLIPv2 on scene graphs: it finds subjects, objects and their relations for itself, and reads labels as text.',
  },
  finetune: {
    summary: 'fine-tune RLIPv2 for a closed set of names',
    description:
      'Fine-tune RLIPv2 from pre-trained weights: every batch reads all names of the vocabulary, few or many images are learnt from, relations may be held out.',
  },
} as const;

type Task = keyof typeof TASKS;

/** `relflow train tagger`, `rlip` and `finetune`. */
export function trainCommand(program: Command): void {
  const train = program
    .command('train')
    .summary('train a model')
    .description('Train a model on scene graphs and images.');
  for (const task of Object.keys(TASKS) as Task[])
    train
      .command(task)
      .summary(TASKS[task].summary)
      .description(
        `${TASKS[task].description} The folder gets log.jsonl, checkpoints/ and, at the end, curves.html and weights.safetensors. Ctrl-C ends the run behind the step at hand; --resume goes on to the same numbers.`,
      )
      .requiredOption('-c, --config <file>', 'the configuration, JSON (schemas/training.schema.json)')
      .option('-o, --out <dir>', 'the folder to write to')
      .option('--resume', 'go on from the newest checkpoint in the folder')
      .option('--dry-run', 'say what memory a step takes, run one, print shapes; write nothing')
      .option('--json', 'print as JSON')
      .option('--quiet', 'say nothing while training')
      .addHelpText(
        'after',
        `\nExamples:\n  relflow train ${task} --config ${task}.json --dry-run\n  relflow train ${task} --config ${task}.json --out run\n  relflow train ${task} --config ${task}.json --out run --resume`,
      )
      .action((flags: Flags) => trainAction(task, flags));
}

async function trainAction(task: Task, { config: file, out, resume, dryRun: dry, json, quiet }: Flags): Promise<void> {
  if (!dry && out === undefined) throw new OptionError(`train ${task}`, 'expected --out, the folder to write to');
  const config = await readTrainingConfig(file);
  if (config.task !== task) throw new OptionError(file, `/task ${config.task}, but the command is train ${task}`);
  const training = await import('../training/index.js');
  const { useBackend } = await import('../model/index.js');
  const settings = task === 'tagger' ? training.taggerSettings(config) : training.rlipSettings(config);
  if (resume && !existsSync(out!)) throw new OptionError(`train ${task}`, `--resume, but there is no folder ${out}`);
  const interrupt = stopOnInterrupt(() => printNote('ending behind this step; again to stop at once'));
  interrupt.kill.addEventListener('abort', () => process.exit(130));
  try {
    const threads = config.threads === undefined ? {} : { threads: config.threads };
    const backend = await useBackend((config.backend ?? 'auto') as 'auto' | 'wasm' | 'webgpu' | 'cpu', threads);
    // Before any data is read: what can't fit is refused at once.
    const memory = backend.name === 'wasm' || dry ? await training.stepMemory(settings) : null;
    if (memory && backend.name === 'wasm') await training.checkMemoryFits(settings, memory);
    const open = async (sets: typeof config.data, options: Parameters<typeof training.TrainingData.open>[1]) =>
      training.TrainingData.open(await dataSets(sets), options, interrupt.stop);
    const options = training.dataOptions(settings);
    const data = await open(config.data, options);
    const validation = config.validation && (await open(config.validation, training.validationOptions(settings)));
    const given = {
      ...(config.initialWeights !== undefined && { initialWeights: config.initialWeights }),
      ...(config.startFrom !== undefined && { startFrom: config.startFrom }),
      ...(config.tokenizer !== undefined && { tokenizer: config.tokenizer }),
    };
    if (dry) {
      const result = await training.dryRun(settings, data, given);
      if (json) print(JSON.stringify({ ...result, memory }, null, 2));
      else printDryRun(result, memory!);
      return;
    }
    const unlock = await lockFolder(out!, new RunFolder(out!).lock);
    const view = quiet ? { tell: () => {}, end: () => {} } : trainingView();
    const result = await training
      .trainModel({
        settings,
        data,
        ...(validation && { validation }),
        out: out!,
        resume: resume ?? false,
        ...given,
        prefetch: config.prefetch ?? 2,
        keepImages: config.keepImages ?? 0,
        ...(config.readers !== undefined && { readers: config.readers }),
        checkpointEvery: config.checkpointEvery ?? 500,
        keep: config.keep ?? 2,
        evaluateEvery: config.evaluateEvery ?? null,
        backend,
        onEvent: view.tell,
        stop: interrupt.stop,
      })
      .finally(async () => {
        view.end();
        await unlock();
      });
    if (json) print(JSON.stringify(result));
    else if (result.finished) print(`${result.step} steps, loss ${result.loss?.toFixed(3) ?? '–'}: ${result.path}`);
    if (!result.finished) {
      printNote(`stopped behind step ${result.step}: ${result.path}; go on with --resume`);
      process.exitCode = 130;
    }
  } finally {
    interrupt.dispose();
  }
}
