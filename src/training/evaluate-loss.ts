import { accumulatedMeanLoss, type BatchSummary, batchSummary, orNotFinite } from './accumulate-gradients.js';
import { type BatchStreamOptions, epochBatches } from './data/batch-stream.js';
import type { TrainingData } from './data/training-data.js';
import type { StepLoss } from './loss-gradients.js';
import type { Ema } from './optimizer/ema.js';
import type { StepEngine } from './step-engine.js';

/**
 * Computes the mean loss of validation data, without dropout, noise and augmentation.
 * @param engine computes the losses; its weights are those of the parameters, see `sync`
 * @param ema evaluated in place of the weights, unless null
 * @returns null when no image has a pair; the batch whose loss is not finite as `diverged`, at which the evaluation ends
 */
export async function evaluateLoss(
  engine: StepEngine,
  ema: Ema | null,
  validation: TrainingData,
  { paraphrases: _, ...batches }: BatchStreamOptions,
  signal: AbortSignal,
): Promise<(StepLoss & { readonly diverged?: BatchSummary }) | null> {
  const options = { ...batches, noise: null, training: false, shuffleBuffer: 1 };
  const losses: StepLoss[] = [];
  ema?.exchange();
  try {
    const lossOf = engine.startEvaluation();
    for await (const { batch } of epochBatches(validation, options, { epoch: 0, position: 0 }, signal)) {
      if (batch.pairs === 0) continue;
      const loss = await lossOf(batch).catch(orNotFinite);
      if (!Number.isFinite(loss.loss)) return { ...loss, diverged: batchSummary(batch) };
      losses.push(loss);
    }
  } finally {
    ema?.exchange();
  }
  return losses.length > 0 ? accumulatedMeanLoss(losses) : null;
}
