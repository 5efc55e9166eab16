import type { Activations } from './activations.js';
import type { Adam } from './adam.js';
import type { Batch } from './caption-batch.js';
import type { DropoutMasks } from './dropout-masks.js';

/** What makes states of a batch's tokens, and learns to. */
export interface TokenEncoder {
  /** Of all its parameters that are learned. */
  readonly optimizers: readonly Adam[];
  /** Fills `a.state`. @param masks dropout; none where the network is only asked */
  forward(batch: Batch, a: Activations, masks?: DropoutMasks): void;
  /** Adds its gradients. @param g `state` holds the gradient of the states */
  backward(batch: Batch, a: Activations, g: Activations, masks: DropoutMasks): void;
  /** The sum of the squares of its gradients. */
  squares(): number;
  /** Learns, and sets its gradients to zero. @param scale of the gradients */
  step(rate: number, scale: number): void;
}
