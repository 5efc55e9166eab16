import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { Activations } from './activations.js';
import { Adam } from './adam.js';
import type { Batch } from './caption-batch.js';
import type { DropoutMasks } from './dropout-masks.js';
import type { TrainingKernels } from './kernels/training-kernels.js';
import type { PretrainedTransformer } from './pretrained-transformer.js';
import type { TokenEncoder } from './token-encoder.js';

/** Factor of the learning rate: smaller steps preserve the pretrained weights. */
const learningRateFactor = 0.15;
const options = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01 };

/** The states of a pretrained transformer. */
export class TransformerEncoder implements TokenEncoder {
  readonly #transformer: PretrainedTransformer;
  readonly #training: TrainingKernels;
  readonly optimizers: readonly Adam[];

  constructor(kernels: ParserKernels, training: TrainingKernels, transformer: PretrainedTransformer) {
    this.#transformer = transformer;
    this.#training = training;
    this.optimizers = transformer.trained.map(
      ([values, gradients]) => new Adam(kernels, training, values, gradients, options),
    );
  }

  forward({ words, captions }: Batch, a: Activations, masks?: DropoutMasks): void {
    this.#transformer.forward(words, captions, a.states, masks);
  }

  backward(_batch: Batch, _a: Activations, g: Activations, masks: DropoutMasks): void {
    this.#transformer.backward(g.states, masks);
  }

  squares(): number {
    return this.#transformer.trained.reduce((sum, [, gradients]) => sum + this.#training.squares(gradients), 0);
  }

  step(learningRate: number, scale: number): void {
    for (const optimizer of this.optimizers) optimizer.step(learningRateFactor * learningRate, scale);
  }
}
