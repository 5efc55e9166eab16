import * as tf from '@tensorflow/tfjs-core';
import type { WasmHeap } from '../wasm-heap.js';
import { registerWasmKernel, stockWasmKernel } from './register-wasm-kernel.js';
import { shapeSize } from './shape-size.js';

/** Adjacent axes that are reduced together, as `[outer, count, inner]`. */
interface AxisRun {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Groups the reduced axes into runs of adjacent ones, the last run first. */
function axisRuns(shape: readonly number[], axes: readonly number[]): AxisRun[] {
  const summed = new Set(axes);
  const runs: AxisRun[] = [];
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!summed.has(axis)) {
      inner *= shape[axis]!;
      continue;
    }
    let count = shape[axis]!;
    while (axis > 0 && summed.has(axis - 1)) count *= shape[--axis]!;
    runs.push({ outer: shapeSize(shape.slice(0, axis)), count, inner });
  }
  return runs;
}

/** Registers sums and means in double precision; in single precision those of a large map lose digits that later layers need. */
export function registerSumKernels(heap: WasmHeap): void {
  for (const kernel of ['Sum', 'Mean'] as const) {
    const stock = stockWasmKernel(kernel, heap.backend);
    registerWasmKernel(kernel, ({ inputs, attributes }) => {
      const x = inputs['x']!;
      if (x.dtype !== 'float32')
        return stock({ inputs: inputs as never, attrs: attributes as never, backend: heap.backend });
      const axes = tf.util.parseAxisParam(attributes['axis'] as number[], [...x.shape]);
      const rest = x.shape.filter((_, axis) => !axes.includes(axis));
      const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const to = heap.output(attributes['keepDims'] === true ? kept : rest);
      const runs = axisRuns(x.shape, axes);
      if (runs.length === 0) runs.push({ outer: shapeSize(x.shape), count: 1, inner: 1 });
      let [from, size] = [heap.address(x), shapeSize(x.shape)];
      for (const [k, { outer, count, inner }] of runs.entries()) {
        const last = k === runs.length - 1;
        const at = last ? heap.address(to) : heap.allocate(outer * inner);
        const total = shapeSize(x.shape) / Math.max(1, shapeSize(rest));
        const factor = last && kernel === 'Mean' ? 1 / total : 1;
        heap.run('sums', size, { x: from, to: at, outer, count, inner, factor });
        if (k > 0) heap.free(from);
        [from, size] = [at, outer * inner];
      }
      return to;
    });
  }
}
