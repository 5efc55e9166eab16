import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { Activations } from './activations.js';
import { Adam } from './adam.js';
import type { Batch } from './caption-batch.js';
import type { DropoutMasks } from './dropout-masks.js';
import type { TrainingKernels } from './kernels/training-kernels.js';
import type { PretrainedTransformer } from './pretrained-transformer.js';
import type { TokenEncoder } from './token-encoder.js';

/** What was learned before is kept by smaller steps. */
const rateShare = 0.15;
const options = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01 };

/** States by a pre-trained encoder. */
export class TransformerEncoder implements TokenEncoder {
  readonly #encoder: PretrainedTransformer;
  readonly #training: TrainingKernels;
  readonly optimizers: readonly Adam[];

  constructor(kernels: ParserKernels, training: TrainingKernels, encoder: PretrainedTransformer) {
    this.#encoder = encoder;
    this.#training = training;
    this.optimizers = encoder.trained.map(
      ([values, gradients]) => new Adam(kernels, training, values, gradients, options),
    );
  }

  forward({ words, captions }: Batch, a: Activations, masks?: DropoutMasks): void {
    this.#encoder.forward(words, captions, a.states, masks);
  }

  backward(_batch: Batch, _a: Activations, g: Activations, masks: DropoutMasks): void {
    this.#encoder.backward(g.states, masks);
  }

  squares(): number {
    return this.#encoder.trained.reduce((sum, [, gradients]) => sum + this.#training.squares(gradients), 0);
  }

  step(rate: number, scale: number): void {
    for (const optimiser of this.optimizers) optimiser.step(rateShare * rate, scale);
  }
}
