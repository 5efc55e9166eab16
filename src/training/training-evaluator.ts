/** The score of a model on a benchmark. */
export interface TrainingScore {
  /** Decides which weights are the best: larger is better. */
  readonly score: number;
  /** All metrics, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Scores the weights of a training with the evaluator of a benchmark, every few epochs and after the last step. */
export interface TrainingEvaluator {
  /** Name of the benchmark, for the log. */
  readonly name: string;
  /** In epochs, at least 1. */
  readonly everyEpochs: number;
  /**
   * @param weights file of the weights to score, or of their moving average; it may be moved afterwards
   * @throws the signal's reason once it is aborted
   */
  evaluate(weights: string, signal: AbortSignal): Promise<TrainingScore>;
}
