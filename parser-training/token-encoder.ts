import type { Activations } from './activations.js';
import type { Adam } from './adam.js';
import type { Batch } from './caption-batch.js';
import type { DropoutMasks } from './dropout-masks.js';

/** The trained first layers of a network: from a batch's words to their states. */
export interface TokenEncoder {
  /** Optimizers of all its parameters. */
  readonly optimizers: readonly Adam[];
  /** Fills `a.states`. @param masks dropout; omitted for inference */
  forward(batch: Batch, a: Activations, masks?: DropoutMasks): void;
  /** Adds its gradients. @param g `states` holds the gradient of the states */
  backward(batch: Batch, a: Activations, g: Activations, masks: DropoutMasks): void;
  /** Returns the sum of the squares of its gradients. */
  squares(): number;
  /** Updates its parameters and sets its gradients to zero. @param scale factor of the gradients */
  step(learningRate: number, scale: number): void;
}
