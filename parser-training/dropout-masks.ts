import type { Random } from '../src/records/random.js';
import type { Dropout } from './training-network.js';

/** Dropout that stores its masks for the backward pass. */
export class DropoutMasks implements Dropout {
  readonly #random: Random;
  readonly #rates: Readonly<Record<string, number>>;
  readonly #masks = new Map<string, Uint8Array>();

  /** @param rates layer → probability that an activation is dropped; other layers have no dropout */
  constructor(random: Random, rates: Readonly<Record<string, number>>) {
    this.#random = random;
    this.#rates = rates;
  }

  apply(x: Float32Array, length: number, layer: string): void {
    const rate = this.#rates[layer] ?? 0;
    if (rate === 0) return;
    let mask = this.#masks.get(layer);
    if (!mask || mask.length < length) {
      mask = new Uint8Array(2 * length);
      this.#masks.set(layer, mask);
    }
    for (let k = 0; k < length; k++) mask[k] = this.#random.next() < rate ? 0 : 1;
    this.applyAgain(x, length, layer);
  }

  /** Applies a layer's last mask again, to its gradients. */
  applyAgain(x: Float32Array, length: number, layer: string): void {
    const rate = this.#rates[layer] ?? 0;
    if (rate === 0) return;
    const mask = this.#masks.get(layer)!;
    const scale = 1 / (1 - rate);
    for (let k = 0; k < length; k++) x[k]! *= mask[k]! * scale;
  }
}
