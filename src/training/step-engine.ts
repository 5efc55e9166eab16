import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBatch } from './data/training-batch.js';
import { type Forward, lossGradients, lossOnly, type StepGradients, type StepLoss } from './loss-gradients.js';
import type { AdamW } from './optimizer/adam-w.js';
import type { Ema } from './optimizer/ema.js';
import { clipFactor, gradientNorm } from './optimizer/gradient-norm.js';
import type { TrainingSettings } from './settings/training-settings.js';
import { stepDropout } from './step-dropout.js';

/** Where a pass belongs. */
export interface PassPosition {
  /** Steps before this one. */
  readonly step: number;
  /** Which batch of the step, counted from 0. */
  readonly part: number;
  /** Whether an earlier batch of the step has pairs. */
  readonly isLater: boolean;
  /** Multiplies all learning rates. */
  readonly scheduleFactor: number;
}

/** Computes gradients and updates weights with them. */
export interface StepEngine {
  /** Number of updates so far. */
  readonly updates: number;
  /** Computes the loss of a batch and its gradients; an engine that keeps gradients on its device returns none. */
  gradients(batch: TrainingBatch, position: PassPosition): Promise<StepGradients>;
  /**
   * Clips the gradients and updates weights and average.
   * @param gradients averaged over the batches of the step; disposed of
   * @param scheduleFactor multiplies all learning rates
   * @returns the L2 norm of all gradients before clipping; if it is not finite, nothing is updated
   */
  update(gradients: Record<string, tf.Tensor>, scheduleFactor: number): Promise<number>;
  /**
   * Starts to evaluate batches with the weights that the parameters have, see `sync`.
   * @returns computes the loss of a batch without dropout and without gradients
   */
  startEvaluation(): (batch: TrainingBatch) => Promise<StepLoss>;
  /** Makes the parameters, the optimizer and the average hold what the last update computed. */
  sync(): Promise<void>;
  dispose(): void;
}

/** What an engine works on. */
export interface StepEngineOptions {
  readonly settings: TrainingSettings;
  readonly forward: Forward;
  readonly optimizer: AdamW;
  readonly ema: Ema | null;
  /** Changes each batch before its pass, see `fixedShapes`. */
  readonly prepared: (batch: TrainingBatch) => TrainingBatch;
}

/** Runs each step operation by operation. */
export class EagerEngine implements StepEngine {
  readonly #options: StepEngineOptions;

  constructor(options: StepEngineOptions) {
    this.#options = options;
  }

  get updates(): number {
    return this.#options.optimizer.steps;
  }

  gradients(batch: TrainingBatch, { step, part }: PassPosition): Promise<StepGradients> {
    const { settings, forward, optimizer, prepared } = this.#options;
    const dropout = () => stepDropout(settings, step, part);
    return lossGradients(forward, prepared(batch), optimizer.variables, dropout);
  }

  async update(gradients: Record<string, tf.Tensor>, scheduleFactor: number): Promise<number> {
    const { settings, optimizer, ema } = this.#options;
    const norm = await gradientNorm(gradients);
    if (Number.isFinite(norm)) {
      optimizer.apply(gradients, scheduleFactor, clipFactor(norm, settings.optimizer.maxGradientNorm));
      ema?.update(optimizer.steps);
    }
    tf.dispose(gradients);
    return norm;
  }

  startEvaluation(): (batch: TrainingBatch) => Promise<StepLoss> {
    return (batch) => lossOnly(this.#options.forward, batch);
  }

  async sync(): Promise<void> {}

  dispose(): void {}
}
