import type * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../../errors.js';
import type { Recording } from '../recording.js';
import type { GraphBuilder } from './graph-builder.js';
import { kernelNodes } from './kernel-nodes.js';
import type { NodeInput } from './node-call.js';

/** Kernels that read the numbers of an input while the graph is built, by the input's name. */
const READ_INPUTS: Readonly<Record<string, string>> = {
  RelflowDeformableAttention: 'levels',
  RelflowDeformableAttentionGradient: 'levels',
};

/** Where the values of a recording that come from outside are found in the graph. */
export interface RecordingSources {
  /** Returns the node of data. */
  data(name: string): string;
  /** Returns the node with the value of a variable. */
  outside(tensor: tf.Tensor): string;
}

/**
 * Adds the nodes of a recording to a graph.
 * @returns the nodes of the outputs, by name
 * @throws RelflowError (`recording`) if a kernel has no nodes
 */
export function addRecording(
  graph: GraphBuilder,
  recording: Recording,
  sources: RecordingSources,
): Record<string, string> {
  const { values, constants, outside } = recording;
  const nodes = new Map<number, string>();
  const names = new Map([...recording.data].map(([name, value]) => [value, name]));
  const nodeOf = (value: number): string => {
    const known = nodes.get(value);
    if (known !== undefined) return known;
    const made = sourceOf(value);
    nodes.set(value, made);
    return made;
  };
  const sourceOf = (value: number): string => {
    const { shape, dtype } = values[value]!;
    const numbers = constants.get(value);
    if (numbers) return graph.array(numbers, shape, dtype);
    const name = names.get(value);
    return name === undefined ? sources.outside(outside.get(value)!) : sources.data(name);
  };
  for (const { kernel, inputs, attributes, outputs } of recording.calls) {
    const add = kernelNodes[kernel];
    if (!add)
      throw new RelflowError(
        'recording',
        `recording: kernel '${kernel}' has no nodes for a TensorFlow graph, add them to kernel-nodes.ts`,
        { kernel },
      );
    const read = READ_INPUTS[kernel];
    const given = Object.entries(inputs).flatMap(([name, value]): [string, NodeInput][] => {
      if (name === read) return [];
      // A division by a constant would become a product with its reciprocal, which is rounded in another way.
      const isExact = kernel === 'RealDiv' && name === 'b' && constants.has(value);
      const node = isExact ? graph.opaque(nodeOf(value), values[value]!.shape) : nodeOf(value);
      return [[name, { value: node, ...values[value]! }]];
    });
    const made = add(graph, {
      inputs: Object.fromEntries(given),
      attributes: read === undefined ? attributes : { ...attributes, [read]: rows(constants.get(inputs[read]!)!) },
      outputs: outputs.map((value) => values[value]!),
    });
    for (const [k, node] of [made].flat().entries()) nodes.set(outputs[k]!, node);
  }
  return Object.fromEntries(Object.entries(recording.outputs).map(([name, value]) => [name, nodeOf(value)]));
}

/** Splits numbers into pairs. */
const rows = (numbers: tf.TypedArray): (readonly [number, number])[] =>
  Array.from({ length: numbers.length / 2 }, (_, k) => [numbers[2 * k]!, numbers[2 * k + 1]!] as const);
