import { rename, rm } from 'node:fs/promises';
import { RelflowError } from '../errors.js';
import { wrapFileErrors } from '../files/wrap-io-errors.js';
import type { Parameter } from '../model/parameter-scope.js';
import type { Ema } from './optimizer/ema.js';
import type { TrainingEvaluator, TrainingScore } from './training-evaluator.js';
import { TrainingLog } from './training-log.js';
import { writeWeights } from './write-weights.js';

/** The files that `BestWeights` writes. */
export interface BestWeightsFiles {
  /** Weights that are being scored. */
  readonly candidate: string;
  /** The weights with the best score so far. */
  readonly best: string;
}

/** Scores weights during a training, and keeps those with the best score. */
export class BestWeights {
  readonly evaluator: TrainingEvaluator;
  readonly #files: BestWeightsFiles;
  readonly #metadata: Readonly<Record<string, string>>;
  #best: number;

  private constructor(
    evaluator: TrainingEvaluator,
    files: BestWeightsFiles,
    metadata: Readonly<Record<string, string>>,
    best: number,
  ) {
    this.evaluator = evaluator;
    this.#files = files;
    this.#metadata = metadata;
    this.#best = best;
  }

  /**
   * @param log the log of the training, which has the scores of its steps so far
   * @param metadata for the header of the weights
   */
  static async open(
    evaluator: TrainingEvaluator,
    files: BestWeightsFiles,
    log: string,
    metadata: Readonly<Record<string, string>>,
  ): Promise<BestWeights> {
    let best = Number.NEGATIVE_INFINITY;
    for await (const event of TrainingLog.read(log))
      if (event.event === 'benchmark') best = Math.max(best, event.score);
    return new BestWeights(evaluator, files, metadata, best);
  }

  /**
   * Scores the weights, or their moving average, and keeps them if no earlier score is as good.
   * @throws RelflowError (`bad-score`) if the score is not a number
   */
  async evaluate(
    parameters: ReadonlyMap<string, Parameter>,
    ema: Ema | null,
    signal: AbortSignal,
  ): Promise<TrainingScore & { readonly isBest: boolean }> {
    const { candidate, best } = this.#files;
    ema?.exchange();
    try {
      await writeWeights(candidate, parameters, this.#metadata);
    } finally {
      ema?.exchange();
    }
    try {
      const result = await this.evaluator.evaluate(candidate, signal);
      if (Number.isNaN(result.score))
        throw new RelflowError(
          'bad-score',
          `training: the score of ${this.evaluator.name} is not a number`,
          result.metrics,
        );
      const isBest = result.score > this.#best;
      if (isBest) {
        await wrapFileErrors(best, () => rename(candidate, best));
        this.#best = result.score;
      }
      return { ...result, isBest };
    } finally {
      await rm(candidate, { force: true });
    }
  }
}
