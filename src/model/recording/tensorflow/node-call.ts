import type { NativeInput } from '../../backends/kernels/native-ops.js';
import type { RecordedValue } from '../recording.js';
import type { GraphBuilder } from './graph-builder.js';

/** An input of a kernel: the node's output that holds it, its shape and its type. */
export type NodeInput = NativeInput<string>;

/** A recorded call whose inputs are nodes. */
export interface NodeCall {
  readonly inputs: Readonly<Record<string, NodeInput>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly RecordedValue[];
}

/** Adds the nodes of a kernel call to a graph, and returns its outputs. */
export type KernelNodes = (graph: GraphBuilder, call: NodeCall) => string | string[];
