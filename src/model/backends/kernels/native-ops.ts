import type * as tf from '@tensorflow/tfjs-core';

/** Attribute of a TensorFlow operation: a type, or a value in one of TensorFlow's forms. */
export type NativeAttribute =
  | { readonly type: tf.DataType }
  | { readonly int: number }
  | { readonly bool: boolean }
  | { readonly float: number };

/**
 * Where TensorFlow operations go: they run at once, or become nodes of a graph.
 *
 * `V` is what stands for a tensor there.
 */
export interface NativeOps<V> {
  /** Makes a constant. */
  constant(values: readonly number[], shape: readonly number[], dtype: 'float32' | 'int32'): V;
  /**
   * Hides that a value is a constant, with which TensorFlow would simplify sums and quotients of a graph, and so round them in
   * other ways.
   */
  opaque(constant: V, shape: readonly number[]): V;
  /** Adds an operation with one output. */
  run(operation: string, inputs: readonly V[], attributes: Readonly<Record<string, NativeAttribute>>): V;
  /** Adds an operation with several outputs. */
  runAll(operation: string, inputs: readonly V[], outputs: number): V[];
}

/** Returns a text that differs between constants that differ, also between 0 and −0. */
export const constantKey = (values: Iterable<number>, shape: readonly number[], dtype: tf.DataType): string =>
  `${dtype} ${shape} ${Array.from(values, (value) => (Object.is(value, -0) ? '-0' : String(value)))}`;

/** An input of a kernel. */
export interface NativeInput<V> {
  readonly value: V;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** A kernel as a sequence of TensorFlow operations. It reads no numbers, so that a GPU never waits for the processor. */
export type NativeKernel = <V>(
  ops: NativeOps<V>,
  inputs: Readonly<Record<string, NativeInput<V>>>,
  attributes: Readonly<Record<string, unknown>>,
) => V | V[];
