import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../../model/parameter-scope.js';
import { collectData } from '../../model/recording/collect-data.js';
import type { Recording } from '../../model/recording/recording.js';
import { checkData, RecordingsByShape } from '../../model/recording/recordings-by-shape.js';
import { SharedBuffers } from '../../model/recording/webgpu/shared-buffers.js';
import type { GpuBackend } from '../../model/recording/webgpu/webgpu-device.js';
import { WebgpuReplay } from '../../model/recording/webgpu/webgpu-replay.js';
import type { TrainingBatch } from '../data/training-batch.js';
import {
  type BeforeRun,
  type Forward,
  LOSS_PARTS,
  lossOnly,
  namedParts,
  type ReadBack,
  type StepGradients,
  type StepLoss,
} from '../loss-gradients.js';
import { dropoutSeed, hasDropout } from '../step-dropout.js';
import type { PassPosition, StepEngine } from '../step-engine.js';
import { GRADIENT, passData, READ_BACK, recordedDropout, recordingStarted, recordPass } from './record-pass.js';
import type { RecordedEngineOptions } from './recorded-engine.js';
import { ReplayedUpdate } from './replayed-update.js';

const OPTIONS = { target: 'webgpu' } as const;

/** Shapes of batches whose programs and buffers are kept at a time; the least recently used one makes room. */
const MAX_REPLAYS = 4;

const RESULT_COUNT = 1 + LOSS_PARTS.length;

interface Replayed {
  readonly recording: Recording;
  readonly replay: WebgpuReplay;
  /** Those that have a gradient. */
  readonly parameters: readonly Parameter[];
  /** Names of the outputs that are read back before the loss. */
  readonly readBack: readonly string[];
}

/**
 * Runs steps on webgpu with programs and buffers that are recorded once for each shape. Gradients stay on the device, and the
 * update changes weights, moments and averages where they are.
 */
export class ReplayedEngine implements StepEngine {
  readonly #options: RecordedEngineOptions;
  readonly #update: ReplayedUpdate;
  readonly #shared: SharedBuffers;
  readonly #replays = new RecordingsByShape<Replayed>(MAX_REPLAYS, ({ replay }) => replay.dispose());
  #programs = 0;
  /** L2 norm of the last gradients before clipping. */
  #norm = Number.NaN;

  constructor(options: RecordedEngineOptions) {
    const { optimizer, ema, settings } = options;
    this.#options = options;
    const batches = settings.accumulationSteps;
    this.#update = new ReplayedUpdate({
      ...{ optimizer, ema, batches, emaDecay: settings.emaDecay, resultCount: RESULT_COUNT },
    });
    this.#shared = new SharedBuffers((tf.backend() as unknown as GpuBackend).device);
  }

  get updates(): number {
    return this.#options.optimizer.steps;
  }

  /** Number of programs of the last pass and the last update. */
  get programs(): number {
    return this.#programs + this.#update.programs;
  }

  /** The update follows at once if a step has one batch. */
  async gradients(given: TrainingBatch, position: PassPosition): Promise<StepGradients> {
    const { settings, forward, prepared } = this.#options;
    const { isLater, scheduleFactor } = position;
    const batch = prepared(given);
    await forward.prepare(batch);
    const { parameters } = await this.#pass(batch, position);
    const isWhole = settings.accumulationSteps === 1;
    if (!isWhole) this.#update.add(parameters, isLater);
    const values = isWhole ? await this.#finish(scheduleFactor, parameters) : await this.#update.readResults();
    return { loss: values[0]!, parts: namedParts(values.slice(1)), gradients: {} };
  }

  async update(_gradients: Record<string, tf.Tensor>, scheduleFactor: number): Promise<number> {
    if (this.#options.settings.accumulationSteps > 1) await this.#finish(scheduleFactor);
    return this.#norm;
  }

  startEvaluation(): (batch: TrainingBatch) => Promise<StepLoss> {
    return (batch) => lossOnly(this.#options.forward, batch);
  }

  async sync(): Promise<void> {}

  dispose(): void {
    this.#replays.dispose();
    this.#shared.dispose();
    this.#update.dispose();
  }

  /** Updates the weights. @returns the results of the last pass */
  async #finish(scheduleFactor: number, parameters?: readonly Parameter[]): Promise<Float32Array> {
    const { norm, results } = await this.#update.run(scheduleFactor, parameters);
    this.#norm = norm;
    return results;
  }

  /** Runs the pass of a batch; what has to be read back is read between its two parts. */
  async #pass(batch: TrainingBatch, { step, part }: PassPosition): Promise<Replayed> {
    const { settings, forward, optimizer, onRecording } = this.#options;
    const { before } = forward;
    const seed = dropoutSeed(settings, step, part);
    const dropout = () => recordedDropout(hasDropout(settings), seed);
    let known = before?.placeholder(batch);
    const pass = (onOutputs?: Parameters<Forward['run']>[3]) => forward.run(batch, dropout(), known, onOutputs);
    /** Data of the first part, which is all if nothing is read back. */
    const early = passData(OPTIONS, {
      dropout: () => void dropout(),
      alone: () => (before ? before.collectData(batch) : (forward.collectData?.(batch) ?? false)),
      pass: () => void (before ? before.outputs(batch, dropout()) : pass()),
    });
    const late = () => collectData(OPTIONS, () => before && known && before.collectTargets(batch, known)).values;
    const replayed = await this.#replays.of(early.key, {
      record: () => {
        const recorded = recordPass(OPTIONS, optimizer.parameters, pass);
        checkData(new Map([...early.values, ...late()]), recorded.data);
        return recorded;
      },
      onRecording: (calls) => onRecording(step + 1, recordingStarted(batch, calls)),
      make: ({ recording }) => this.#replayOf(recording, new Set(late().keys())),
    });
    const { replay } = replayed;
    this.#programs = replay.programs;
    if (!before) tf.dispose(replay.run(early.values));
    else {
      known = await this.#readBack(before, replay.begin(early.values, replayed.readBack), batch);
      tf.dispose(replay.end(late()));
    }
    return replayed;
  }

  #replayOf(recording: Recording, late: ReadonlySet<string>): Replayed {
    const names = Object.keys(recording.outputs);
    const parameters = this.#options.optimizer.parameters.filter(({ name }) => names.includes(`${GRADIENT}${name}`));
    const places = new Map([
      ['results', this.#update.results],
      ...parameters.map((parameter) => [`${GRADIENT}${parameter.name}`, this.#update.gradientOf(parameter)] as const),
    ]);
    const replay = new WebgpuReplay(recording, { places, late, shared: this.#shared });
    return { recording, replay, parameters, readBack: names.filter((name) => name.startsWith(READ_BACK)) };
  }

  async #readBack(before: BeforeRun, outputs: Record<string, tf.Tensor>, batch: TrainingBatch): Promise<ReadBack> {
    try {
      const named = Object.entries(outputs).map(([name, output]) => [name.slice(READ_BACK.length), output] as const);
      return await before.readBack(Object.fromEntries(named), batch);
    } finally {
      tf.dispose(outputs);
    }
  }
}
