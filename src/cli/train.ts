import { existsSync } from 'node:fs';
import { Presets, SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { OptionError, RunFolder } from '../index.js';
import { lockFolder } from '../sinks/lock-folder.js';
import type { DryRun, TrainingEvent } from '../training/index.js';
import { stopOnInterrupt } from './interrupt.js';
import { print, printNote, table } from './output.js';
import { dataSets, readTrainingConfig } from './training-config.js';

interface Flags {
  readonly config: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `relflow train tagger`. */
export function trainCommand(program: Command): void {
  const train = program
    .command('train')
    .summary('train a model')
    .description('Train a model on scene graphs and images.');
  train
    .command('tagger')
    .summary('train an R-Tagger with denoising')
    .description(
      'Train an R-Tagger with denoising. The folder gets log.jsonl, checkpoints/ and, at the end, weights.safetensors. Ctrl-C ends the run behind the step at hand; --resume goes on to the same numbers.',
    )
    .requiredOption('-c, --config <file>', 'the configuration, JSON (schemas/training.schema.json)')
    .option('-o, --out <dir>', 'the folder to write to')
    .option('--resume', 'go on from the newest checkpoint in the folder')
    .option('--dry-run', 'run one step, print shapes and memory, write nothing')
    .option('--json', 'print as JSON')
    .option('--quiet', 'say nothing while training')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow train tagger --config tagger.json --dry-run\n  relflow train tagger --config tagger.json --out run\n  relflow train tagger --config tagger.json --out run --resume',
    )
    .action(trainTaggerAction);
}

async function trainTaggerAction({ config: file, out, resume, dryRun: dry, json, quiet }: Flags): Promise<void> {
  if (!dry && out === undefined) throw new OptionError('train tagger', 'expected --out, the folder to write to');
  const config = await readTrainingConfig(file);
  const training = await import('../training/index.js');
  const { useBackend } = await import('../model/index.js');
  const settings = training.taggerSettings(config);
  if (resume && !existsSync(out!)) throw new OptionError('train tagger', `--resume, but there is no folder ${out}`);
  const interrupt = stopOnInterrupt(() => printNote('ending behind this step; again to stop at once'));
  interrupt.kill.addEventListener('abort', () => process.exit(130));
  try {
    const sample = { relationThreshold: settings.relationThreshold };
    const open = async (sets: typeof config.data) =>
      training.TrainingData.open(await dataSets(sets), sample, interrupt.stop);
    const data = await open(config.data);
    const validation = config.validation && (await open(config.validation));
    const threads = config.threads === undefined ? {} : { threads: config.threads };
    const backend = await useBackend((config.backend ?? 'auto') as 'auto' | 'wasm' | 'cpu', threads);
    if (dry) {
      const result = await training.dryRun(settings, data, config as Parameters<typeof training.dryRun>[2]);
      if (json) print(JSON.stringify(result, null, 2));
      else printDryRun(result);
      return;
    }
    const unlock = await lockFolder(new RunFolder(out!));
    const view = quiet ? { tell: () => {}, end: () => {} } : trainingView();
    const result = await training
      .trainTagger({
        settings,
        data,
        ...(validation && { validation }),
        out: out!,
        resume: resume ?? false,
        ...(config.initialWeights !== undefined && { initialWeights: config.initialWeights }),
        ...(config.tokenizer !== undefined && { tokenizer: config.tokenizer }),
        prefetch: config.prefetch ?? 2,
        keepImages: config.keepImages ?? 0,
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

function printDryRun(run: DryRun): void {
  const mega = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  print(
    table(
      ['', ''],
      [
        ['images', `${run.census.total}`],
        ['steps', `${run.steps}`],
        ...Object.entries(run.shapes).map(([name, shape]) => [name, shape.join(' × ')]),
        ['pairs, with relations', `${run.pairs}, ${run.positives}`],
        ['numbers trained, frozen', `${run.trained.toLocaleString('en-US')}, ${run.frozen.toLocaleString('en-US')}`],
        ['loss', run.loss.toFixed(4)],
        ['gradient', run.gradient.toFixed(4)],
        ['weights', mega(run.weightBytes)],
        ['with gradients and moments', mega(run.stateBytes)],
        ['most at once', mega(run.peakBytes)],
        ['reading, one step', `${run.readSeconds.toFixed(1)} s, ${run.stepSeconds.toFixed(1)} s`],
      ],
    ),
  );
  noteCounts('rejected', run.census.rejects);
  noteCounts('left out', run.census.leftOut);
}

function noteCounts(what: string, counts: Readonly<Record<string, number>>): void {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (parts.length > 0) printNote(`${what}: ${parts.join(', ')}`);
}

const SECONDS_BETWEEN_LINES = 5;

/** A bar on a terminal, else a line of JSON every few seconds; on standard error. */
function trainingView(): { tell: (event: TrainingEvent) => void; end: () => void } {
  const bar = process.stderr.isTTY
    ? new SingleBar(
        {
          format: '[{bar}] {value}/{total} loss {loss} rate {rate} {speed} images/s {eta_formatted} left',
          hideCursor: true,
        },
        Presets.shades_classic,
      )
    : null;
  let last = 0;
  return {
    tell: (event) => {
      if (event.event === 'start') {
        noteCounts('rejected', event.rejects);
        noteCounts('left out', event.leftOut);
        bar?.start(event.steps, event.step, { loss: '–', rate: '–', speed: '–' });
      } else if (event.event === 'step') {
        if (bar) {
          const speed = event.seconds > 0 ? (event.images / event.seconds).toFixed(1) : '–';
          bar.update(event.step, { loss: event.loss.toFixed(3), rate: event.rate.toExponential(1), speed });
        } else if (performance.now() - last > SECONDS_BETWEEN_LINES * 1000) {
          last = performance.now();
          printNote(JSON.stringify(event));
        }
      } else if (!bar) printNote(JSON.stringify(event));
    },
    end: () => bar?.stop(),
  };
}
