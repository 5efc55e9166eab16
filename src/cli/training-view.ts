import { Presets, SingleBar } from 'cli-progress';
import { refusedImages } from '../training/data/refused-images.js';
import type { DryRun, TrainingEvent } from '../training/index.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressMode, SECONDS_BETWEEN_LINES } from './progress.js';

/** Prints the result of a dry run as a table. */
export function printDryRun(context: CommandContext, run: DryRun): void {
  const { step, memory } = run;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  context.printTable(
    ['', ''],
    [
      ['images', `${run.dataSummary.total}`],
      ['steps', `${run.steps}`],
      ...Object.entries(run.shapes).map(([name, shape]) => [name, shape.join(' × ')]),
      ['pairs, with relations', `${run.pairs}, ${run.positives}`],
      ['trained and frozen weights', `${run.trained.toLocaleString('en-US')}, ${run.frozen.toLocaleString('en-US')}`],
      ...(step
        ? [
            ['loss', step.loss.toFixed(4)],
            ['gradient norm', step.gradientNorm.toFixed(4)],
            ['memory of weights', megabytes(memory.weights)],
            ['with gradients and moments', megabytes(memory.weights + memory.gradients + memory.optimizer)],
            ['peak of this step', megabytes(step.peakBytes)],
          ]
        : []),
      ['peak of the largest step', megabytes(memory.peak)],
      ['reading', `${run.readSeconds.toFixed(1)} s`],
      ...(step ? [['computing', `${step.stepSeconds.toFixed(1)} s`]] : []),
    ],
  );
  const refused = refusedImages(run.dataSummary.rejects);
  if (refused !== '') context.printNote(`left out of the training: ${refused}`);
  noteCounts(context, 'boxes and relations left out', run.dataSummary.leftOut);
  if (run.problem !== null)
    context.printNote(`data, names and weights are right, but the step was not run here: ${run.problem}`);
}

function noteCounts(context: CommandContext, what: string, counts: Readonly<Record<string, number>>): void {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (parts.length > 0) context.printNote(`${what}: ${parts.join(', ')}`);
}

/** Shows a training's progress on standard error: a bar, or a line of JSON every few seconds and per event. */
export function trainingView(
  context: CommandContext,
  flags: ProgressFlags,
): { update: (event: TrainingEvent) => void; end: () => void } {
  switch (progressMode(flags, context.stderr)) {
    case 'bar':
      return bar(context);
    case 'json':
      return { update: lines(context), end: () => {} };
    case 'none':
      return { update: () => {}, end: () => {} };
  }
}

function bar(context: CommandContext): { update: (event: TrainingEvent) => void; end: () => void } {
  const display = new SingleBar(
    {
      format: '[{bar}] {value}/{total} loss {loss} learning rate {rate} {speed} images/s {eta_formatted} left',
      hideCursor: true,
      noTTYOutput: true,
      stream: context.stderr,
    },
    Presets.shades_classic,
  );
  return {
    update: (event) => {
      if (event.event === 'start') {
        noteCounts(context, 'left out of the training', event.rejects);
        noteCounts(context, 'boxes and relations left out', event.leftOut);
        display.start(event.steps, event.step, { loss: '–', rate: '–', speed: '–' });
      } else if (event.event === 'step') {
        const speed = event.seconds > 0 ? (event.images / event.seconds).toFixed(1) : '–';
        display.update(event.step, { loss: event.loss.toFixed(3), rate: event.learningRate.toExponential(1), speed });
      }
    },
    end: () => display.stop(),
  };
}

function lines(context: CommandContext): (event: TrainingEvent) => void {
  let last = 0;
  return (event) => {
    if (event.event === 'step') {
      if (performance.now() - last <= SECONDS_BETWEEN_LINES * 1000) return;
      last = performance.now();
    }
    context.printEvent(event);
  };
}
