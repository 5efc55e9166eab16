import type { GraphBuilder } from './graph-builder.js';

const float = { T: { type: 'float32' } } as const;

/** Short names for nodes of 32-bit floats. */
export class NodeMath {
  readonly #graph: GraphBuilder;

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  number(value: number): string {
    return this.#graph.constant([value], [], 'float32');
  }

  unary(operation: string, x: string): string {
    return this.#graph.run(operation, [x], float);
  }

  binary(operation: string, a: string, b: string): string {
    return this.#graph.run(operation, [a, b], float);
  }

  add(a: string, b: string): string {
    return this.binary('AddV2', a, b);
  }

  sub(a: string, b: string): string {
    return this.binary('Sub', a, b);
  }

  mul(a: string, b: string): string {
    return this.binary('Mul', a, b);
  }

  reduce(operation: 'Sum' | 'Mean' | 'Max', x: string, axes: readonly number[], keepDims: boolean): string {
    const over = this.#graph.constant(axes, [axes.length], 'int32');
    return this.#graph.run(operation, [x, over], { ...float, Tidx: { type: 'int32' }, keep_dims: { bool: keepDims } });
  }

  reshape(x: string, shape: readonly number[]): string {
    const sizes = this.#graph.constant(shape, [shape.length], 'int32');
    return this.#graph.run('Reshape', [x, sizes], { ...float, Tshape: { type: 'int32' } });
  }

  slice(x: string, begin: readonly number[], size: readonly number[]): string {
    const sizes = [begin, size].map((all) => this.#graph.constant(all, [all.length], 'int32'));
    return this.#graph.run('Slice', [x, ...sizes], { ...float, Index: { type: 'int32' } });
  }

  concat(parts: readonly string[], axis: number): string {
    const at = this.#graph.constant([axis], [], 'int32');
    return this.#graph.run('ConcatV2', [...parts, at], { N: { int: parts.length }, ...float, Tidx: { type: 'int32' } });
  }

  /** Converts to another type. */
  cast(x: string, from: 'float32' | 'bool' | 'int32', to: 'float32' | 'bool' | 'int32'): string {
    return this.#graph.run('Cast', [x], { SrcT: { type: from }, DstT: { type: to }, Truncate: { bool: false } });
  }
}
