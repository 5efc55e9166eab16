import * as tf from '@tensorflow/tfjs-core';

interface KernelTime {
  calls: number;
  milliseconds: number;
  /** Multiply-add operations of matrix products and convolutions. */
  products: number;
}

/** Measures the time of each kind of kernel on a synchronous backend, such as wasm and cpu. */
export class KernelTimes {
  /** Milliseconds that the running kernel has spent in kernels it called. */
  #inside = 0;
  readonly #times = new Map<string, KernelTime>();

  /** Starts to measure all kernels of the active backend. */
  constructor() {
    const backendName = tf.getBackend();
    for (const { kernelName, kernelFunc } of tf.getKernelsForBackend(backendName)) {
      tf.unregisterKernel(kernelName, backendName);
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: (call) => {
          const [start, outside, before] = [performance.now(), this.#inside, this.products];
          this.#inside = 0;
          const result = kernelFunc(call);
          const passed = performance.now() - start;
          const time = this.#times.get(kernelName) ?? { calls: 0, milliseconds: 0, products: 0 };
          time.calls++;
          // Some kernels call others: each counts only its own time, and the innermost counts the products.
          time.milliseconds += passed - this.#inside;
          if (this.products === before)
            time.products += products(kernelName, call.inputs as unknown as Inputs, result as tf.TensorInfo);
          this.#inside = outside + passed;
          this.#times.set(kernelName, time);
          return result;
        },
      });
    }
  }

  /** Clears all measurements. */
  reset(): void {
    this.#times.clear();
  }

  /** Multiply-add operations since the last reset. */
  get products(): number {
    return [...this.#times.values()].reduce((sum, time) => sum + time.products, 0);
  }

  /** Formats the slowest kernels, one line each. */
  lines(count: number): string[] {
    const all = [...this.#times].sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
    const total = all.reduce((sum, [, time]) => sum + time.milliseconds, 0);
    return all.slice(0, count).map(([name, { calls, milliseconds, products: made }]) => {
      const rate = made > 0 ? `, ${((2 * made) / milliseconds / 1e6).toFixed(1)} GFLOP/s` : '';
      const share = ((100 * milliseconds) / total).toFixed(1);
      return `  ${share.padStart(5)} %  ${(milliseconds / 1000).toFixed(2)} s  ${name}, ${calls} calls${rate}`;
    });
  }
}

type Inputs = Readonly<Record<string, tf.TensorInfo>>;

function products(kernel: string, inputs: Inputs, result: tf.TensorInfo): number {
  const size = (tensor: tf.TensorInfo) => tf.util.sizeFromShape([...tensor.shape]);
  switch (kernel) {
    case 'BatchMatMul':
    case '_FusedMatMul': {
      // m n k = √(m k · k n · m n) for each matrix.
      const batch = tf.util.sizeFromShape(result.shape.slice(0, -2));
      const part = (tensor: tf.TensorInfo) => tf.util.sizeFromShape(tensor.shape.slice(-2));
      return batch * Math.sqrt(part(inputs['a']!) * part(inputs['b']!) * part(result));
    }
    case 'Conv2D':
    case 'FusedConv2D':
      return size(result) * tf.util.sizeFromShape(inputs['filter']!.shape.slice(0, 3));
    case 'RelflowLinear':
      return size(result) * inputs['weight']!.shape[0]!;
    case 'RelflowLinearGradient':
      return 2 * size(inputs['x']!) * inputs['weight']!.shape[1]!;
    default:
      return 0;
  }
}
