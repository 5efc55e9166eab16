import * as tf from '@tensorflow/tfjs-core';

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/** A part of a model's computation without gradients, such as its encoder. */
export interface ModelPass {
  /** Names the computation and everything that its kernel calls depend on, besides the shapes of its data and tensors. */
  readonly key: string;
  /** Tensors that it reads, besides the model's variables. */
  readonly given: NamedTensors;
  /**
   * Makes the data that differs between runs of the same key, see `dataTensor`, and no other tensors. Data that is not made here
   * is the same in all of these runs.
   */
  collectData(): void;
  /** Computes the outputs. */
  run(): NamedTensors;
}

/** Runs passes of a model. */
export interface ModelPasses {
  /** Whether passes of equal shapes are recorded, so that there should be few shapes. */
  readonly isRecorded: boolean;
  /** Recordings that were made so far, and the seconds that they and their first runs took. */
  readonly warmUp: { readonly recordings: number; readonly seconds: number };
  /** @returns the outputs, which the caller disposes of */
  run(pass: ModelPass): Promise<NamedTensors>;
  /** Frees all recordings; a later run records again. */
  dispose(): void;
}

/** Runs each pass operation by operation. */
export const eagerPasses: ModelPasses = {
  isRecorded: false,
  warmUp: { recordings: 0, seconds: 0 },
  run: async (pass) => tf.tidy(() => pass.run() as tf.NamedTensorMap),
  dispose: () => {},
};
