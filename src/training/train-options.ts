import { OptionError } from '../errors.js';
import type { TrainingEvaluator } from './training-evaluator.js';
import type { TrainingEvent } from './training-log.js';

/** Options of `train`, named as those of `run`. */
export interface TrainOptions {
  /** The output folder; created if it does not exist. */
  readonly out: string;
  /**
   * Continues a training of the same configuration from its newest checkpoint; `epochs` and `steps` may be larger than before.
   * Default false.
   */
  readonly resume?: boolean;
  /** Removes an earlier training from the folder first. Default false. */
  readonly overwrite?: boolean;
  /**
   * Stops after the current step and writes a checkpoint to resume from. While data is still being counted there is
   * nothing to write, and the call rejects with the signal's reason.
   */
  readonly stop?: AbortSignal;
  /** Aborts after the current step without a checkpoint; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Scores the weights every few epochs; those with the best score are kept as `best.safetensors`. */
  readonly evaluator?: TrainingEvaluator;
  /** Called with each event of the training's log, after it is written. */
  readonly onProgress?: (event: TrainingEvent) => void;
}

/** @throws OptionError when there is no output folder, or `resume` and `overwrite` contradict each other */
export function checkTrainOptions({ out, resume, overwrite }: TrainOptions): void {
  if (!out) throw new OptionError('train', 'no output folder');
  if (resume && overwrite) throw new OptionError('train', 'expected resume or overwrite, not both');
}
