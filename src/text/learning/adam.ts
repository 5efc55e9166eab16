/** Settings of the optimiser. Source: Kingma & Ba, 2015; Loshchilov & Hutter, 2019 (decoupled weight decay). */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export const adamDefaults: AdamOptions = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 1e-3 };

/** One array of parameters, or a table of which a batch touches few rows. */
export class Adam {
  readonly #values: Float32Array;
  readonly #gradients: Float32Array;
  readonly #options: AdamOptions;
  readonly #mean: Float32Array;
  readonly #square: Float32Array;
  #steps = 0;

  constructor(values: Float32Array, gradients: Float32Array, options: AdamOptions = adamDefaults) {
    this.#values = values;
    this.#gradients = gradients;
    this.#options = options;
    this.#mean = new Float32Array(values.length);
    this.#square = new Float32Array(values.length);
  }

  /** Updates every value and sets the gradients to zero. @param scale of the gradients */
  step(rate: number, scale: number): void {
    this.#steps++;
    this.#update(0, this.#values.length, rate, scale);
  }

  /** Updates some rows and sets their gradients to zero; the moments of the others stand still. */
  stepRows(rows: Iterable<number>, width: number, rate: number, scale: number): void {
    this.#steps++;
    for (const row of rows) this.#update(row * width, (row + 1) * width, rate, scale);
  }

  #update(from: number, to: number, rate: number, scale: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const [mean, square, values, gradients] = [this.#mean, this.#square, this.#values, this.#gradients];
    const unbias1 = 1 / (1 - beta1 ** this.#steps);
    const unbias2 = 1 / (1 - beta2 ** this.#steps);
    for (let k = from; k < to; k++) {
      const g = gradients[k]! * scale;
      gradients[k] = 0;
      const m = beta1 * mean[k]! + (1 - beta1) * g;
      const v = beta2 * square[k]! + (1 - beta2) * g * g;
      mean[k] = m;
      square[k] = v;
      values[k]! -= rate * ((m * unbias1) / (Math.sqrt(v * unbias2) + epsilon) + weightDecay * values[k]!);
    }
  }
}
