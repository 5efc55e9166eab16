import * as tf from '@tensorflow/tfjs-core';
import { noDropout } from '../../model/layers/dropout.js';
import { RecordedPasses } from '../../model/recording/tensorflow/recorded-passes.js';
import type { TrainingBatch } from '../data/training-batch.js';
import { type Forward, namedParts, type ReadBack, type StepLoss } from '../loss-gradients.js';

/** Losses of validation batches, of which TensorFlow runs each shape as a graph once it comes again. */
export class RecordedLosses {
  readonly #forward: Forward;
  readonly #passes = new RecordedPasses({ isPadded: true });

  constructor(forward: Forward) {
    this.#forward = forward;
  }

  /** Lets later batches be evaluated with the weights that the parameters have then. */
  refresh(): void {
    this.#passes.refresh();
  }

  /** Computes the loss of a batch without dropout and without gradients, as `lossOnly`. */
  async of(batch: TrainingBatch): Promise<StepLoss> {
    const forward = this.#forward;
    await forward.prepare(batch);
    const { before } = forward;
    const key = JSON.stringify([batch.height, batch.width, batch.labels.objects.length, batch.slots]);
    let known: ReadBack | undefined;
    if (before) {
      const pass = () => before.outputs(batch, noDropout);
      const collectData = () => {
        if (!before.collectData(batch)) pass();
      };
      const run = { key: `before ${key}`, given: {}, collectData, run: pass };
      const outputs = await this.#passes.run(run);
      known = await before.readBack(outputs, batch);
      tf.dispose(outputs as tf.NamedTensorMap);
    }
    const pass = () => forward.run(batch, noDropout, known);
    const { results } = await this.#passes.run({
      key: `loss ${key}`,
      given: {},
      collectData: () => {
        const isComplete = before ? before.collectData(batch) : forward.collectData?.(batch);
        if (isComplete && before) before.collectTargets(batch, known!);
        if (!isComplete) pass();
      },
      run: () => {
        const { total, parts } = pass();
        return { results: tf.concat([tf.reshape(total, [1]), parts]) };
      },
    });
    const values = (await results!.data()) as Float32Array;
    results!.dispose();
    return { loss: values[0]!, parts: namedParts(values.subarray(1)) };
  }

  dispose(): void {
    this.#passes.dispose();
  }
}
