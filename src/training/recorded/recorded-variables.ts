import * as tf from '@tensorflow/tfjs-core';
import { NativeMath } from '../../model/backends/kernels/native-math.js';
import type { Parameter } from '../../model/parameter-scope.js';
import type { GraphBuilder } from '../../model/recording/tensorflow/graph-builder.js';
import type { GraphSession } from '../../model/recording/tensorflow/graph-session.js';
import type { TrainedVariables } from './update-nodes.js';

/** A variable of a graph. */
interface Variable {
  readonly node: string;
  readonly shape: readonly number[];
}

/** The variables of a training in a graph: weights, moments and moving averages; all live on the device. */
export class RecordedVariables {
  readonly trained: readonly TrainedVariables[];
  readonly #all: readonly Variable[];
  /** Sums of gradients. */
  readonly #sums: readonly { readonly parameter: Parameter; readonly node: string }[];
  #reads: readonly string[] = [];

  /**
   * @param isUpdated whether the optimizer updates a parameter
   * @param hasAverage whether there is a moving average
   * @param hasSums whether gradients of several batches are added before an update
   */
  constructor(
    parameters: Iterable<Parameter>,
    isUpdated: (parameter: Parameter) => boolean,
    { hasAverage, hasSums }: { readonly hasAverage: boolean; readonly hasSums: boolean },
  ) {
    this.trained = [...parameters].map((parameter, k) => ({
      parameter,
      weight: `weight/${k}`,
      ...(isUpdated(parameter) && { moments: { first: `first/${k}`, second: `second/${k}` } }),
      ...(hasAverage && parameter.trained && { average: `average/${k}` }),
    }));
    const updated = this.trained.filter(({ moments }) => moments);
    this.#sums = hasSums ? updated.map(({ parameter }, k) => ({ parameter, node: `sum/${k}` })) : [];
    const sums = new Map(this.#sums.map(({ parameter, node }) => [parameter, node]));
    this.#all = this.trained.flatMap(({ parameter, weight, moments, average }) =>
      [weight, moments?.first, moments?.second, average, sums.get(parameter)].flatMap((node) =>
        node === undefined ? [] : [{ node, shape: parameter.variable.shape }],
      ),
    );
  }

  /** Adds the variables to a graph, and what reads and writes all of them. */
  addTo(graph: GraphBuilder): void {
    const assigned: string[] = [];
    const reads: string[] = [];
    const released: string[] = [];
    const zero = graph.constant([0], [], 'float32');
    for (const { node, shape } of this.#all) {
      graph.variable(node, shape);
      assigned.push(graph.assign(node, graph.input(inputOf(node), shape, 'float32')));
      reads.push(graph.run('ReadVariableOp', [node], { dtype: { type: 'float32' } }, `get/${node}`));
      released.push(graph.run('DestroyResourceOp', [node], { ignore_lookup_error: { bool: true } }));
    }
    this.#reads = reads;
    graph.identity(zero, assigned, WRITTEN);
    graph.identity(zero, released, RELEASED);
  }

  /** Reads all variables, in the order in which `write` takes them; the caller disposes of them. */
  read(session: GraphSession): tf.Tensor[] {
    return session.run(new Map(), this.#reads);
  }

  /** Frees the memory of all variables of a session, until they are written again. */
  release(session: GraphSession): void {
    tf.dispose(session.run(new Map(), [RELEASED]));
  }

  write(session: GraphSession, values: readonly tf.Tensor[]): void {
    tf.dispose(session.run(new Map(this.#all.map(({ node }, k) => [inputOf(node), values[k]!])), [WRITTEN]));
  }

  /**
   * Adds what adds weighted gradients to their sums.
   * @param isLater whether the sums have gradients of the step already; otherwise they are replaced
   * @returns the nodes that do so
   */
  addToSums(
    graph: GraphBuilder,
    gradients: Readonly<Record<string, string>>,
    weight: number,
    isLater: boolean,
  ): string[] {
    const m = new NativeMath(graph);
    return this.#sums.flatMap(({ parameter, node }) => {
      const gradient = gradients[parameter.name];
      if (gradient === undefined) return [];
      const part = m.mul(gradient, m.number(weight));
      return [
        isLater
          ? graph.run('AssignAddVariableOp', [node, part], { dtype: { type: 'float32' } })
          : graph.assign(node, part),
      ];
    });
  }

  /** Returns what reads the sums, by the parameter's name. */
  sums(graph: GraphBuilder): (readonly [string, string])[] {
    return this.#sums.map(({ parameter, node }) => [parameter.name, graph.read(node)] as const);
  }

  /** Names of all variables, in the order of `read` and `write`. */
  get names(): readonly string[] {
    return this.#all.map(({ node }) => node);
  }
}

const [WRITTEN, RELEASED] = ['written', 'released'] as const;

const inputOf = (node: string): string => `set/${node}`;
