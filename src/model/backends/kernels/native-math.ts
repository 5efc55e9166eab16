import type { NativeOps } from './native-ops.js';

const float = { T: { type: 'float32' } } as const;

/** Types that a tensor of TensorFlow may have here. */
type NativeType = 'float32' | 'int32' | 'bool';

/** Short names for TensorFlow operations on 32-bit floats. */
export class NativeMath<V> {
  readonly #ops: NativeOps<V>;

  constructor(ops: NativeOps<V>) {
    this.#ops = ops;
  }

  number(value: number): V {
    return this.#ops.constant([value], [], 'float32');
  }

  unary(operation: string, x: V): V {
    return this.#ops.run(operation, [x], float);
  }

  binary(operation: string, a: V, b: V): V {
    return this.#ops.run(operation, [a, b], float);
  }

  add(a: V, b: V): V {
    return this.binary('AddV2', a, b);
  }

  sub(a: V, b: V): V {
    return this.binary('Sub', a, b);
  }

  mul(a: V, b: V): V {
    return this.binary('Mul', a, b);
  }

  /** Product of two matrices. */
  product(a: V, b: V, transposeA: boolean, transposeB: boolean): V {
    return this.#ops.run('MatMul', [a, b], {
      ...float,
      transpose_a: { bool: transposeA },
      transpose_b: { bool: transposeB },
    });
  }

  /** Products of matrices, one for each index of the axes before the last two. */
  batchProduct(a: V, b: V, transposeA: boolean, transposeB: boolean): V {
    return this.#ops.run('BatchMatMulV2', [a, b], {
      ...float,
      adj_x: { bool: transposeA },
      adj_y: { bool: transposeB },
    });
  }

  reduce(operation: 'Sum' | 'Mean', x: V, axes: readonly number[], keepDims: boolean): V {
    const over = this.#ops.constant(axes, [axes.length], 'int32');
    return this.#ops.run(operation, [x, over], { ...float, Tidx: { type: 'int32' }, keep_dims: { bool: keepDims } });
  }

  /** L2 norm of the numbers of all tensors, a scalar. */
  norm(tensors: readonly V[]): V {
    const halves = tensors.map((tensor) => this.unary('L2Loss', tensor));
    // AddN starts with the input that is ready first, so that its last digit depends on the threads' speed.
    const all = this.#ops.run('Pack', halves, { ...float, N: { int: halves.length }, axis: { int: 0 } });
    return this.unary('Sqrt', this.mul(this.reduce('Sum', all, [0], false), this.number(2)));
  }

  reshape(x: V, shape: readonly number[], type: NativeType = 'float32'): V {
    const sizes = this.#ops.constant(shape, [shape.length], 'int32');
    return this.#ops.run('Reshape', [x, sizes], { T: { type }, Tshape: { type: 'int32' } });
  }

  slice(x: V, begin: readonly number[], size: readonly number[]): V {
    const bounds = [begin, size].map((all) => this.#ops.constant(all, [all.length], 'int32'));
    return this.#ops.run('Slice', [x, ...bounds], { ...float, Index: { type: 'int32' } });
  }

  concat(parts: readonly V[], axis: number): V {
    const at = this.#ops.constant([axis], [], 'int32');
    return this.#ops.run('ConcatV2', [...parts, at], { N: { int: parts.length }, ...float, Tidx: { type: 'int32' } });
  }

  /** Converts to another type. */
  cast(x: V, from: NativeType, to: NativeType): V {
    return this.#ops.run('Cast', [x], { SrcT: { type: from }, DstT: { type: to }, Truncate: { bool: false } });
  }
}
