import * as tf from '@tensorflow/tfjs-core';
import type { WasmHeap } from '../wasm-heap.js';
import { registerWasmKernel, stockWasmKernel } from './register-wasm-kernel.js';
import { shapeSize } from './shape-size.js';

/** Approximate cost of an exponential, in additions. */
const EXPONENTIAL = 8;

/** Registers copies, softmax, gather and segment sums, which the backend lacks or computes slowly. */
export function registerRowKernels(heap: WasmHeap): void {
  // The backend's kernel copies the values of every weight that a gradient is saved for.
  registerWasmKernel('Identity', ({ inputs }) => {
    const { dataId, shape, dtype } = inputs['x']!;
    heap.backend.incRef(dataId);
    return { dataId, shape, dtype };
  });

  registerWasmKernel('Softmax', ({ inputs, attributes }) => {
    const logits = inputs['logits']!;
    const { shape } = logits;
    const axis = attributes['dim'] as number;
    if (axis !== -1 && axis !== shape.length - 1) throw new Error(`softmax: axis ${axis}, expected the last one`);
    const to = heap.output(shape);
    const width = shape[shape.length - 1]!;
    const size = shapeSize(shape);
    if (size > 0)
      heap.run('softmax', EXPONENTIAL * size, {
        ...{ x: heap.address(logits), to: heap.address(to) },
        ...{ rows: size / width, width },
      });
    return to;
  });

  const stock = stockWasmKernel('GatherV2', heap.backend);
  registerWasmKernel('GatherV2', ({ inputs, attributes }) => {
    const { x, indices } = inputs as { x: tf.TensorInfo; indices: tf.TensorInfo };
    const axis = tf.util.parseAxisParam(attributes['axis'] as number, x.shape)[0]!;
    const batched = ((attributes['batchDims'] as number | undefined) ?? 0) !== 0;
    if (axis !== 0 || batched || (x.dtype !== 'float32' && x.dtype !== 'int32'))
      return stock({ inputs: inputs as never, attrs: attributes as never, backend: heap.backend });
    const width = shapeSize(x.shape.slice(1));
    const count = shapeSize(indices.shape);
    const to = heap.output([...indices.shape, ...x.shape.slice(1)], x.dtype);
    heap.run('gatherRows', count * width, {
      ...{ x: heap.address(x), indices: heap.address(indices), to: heap.address(to) },
      ...{ rows: x.shape[0]!, count, width },
    });
    return to;
  });

  registerWasmKernel('UnsortedSegmentSum', ({ inputs, attributes }) => {
    const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
    if (x.dtype !== 'float32') throw new Error(`unsortedSegmentSum: dtype ${x.dtype}, expected float32`);
    const segments = attributes['numSegments'] as number;
    const rest = x.shape.slice(segmentIds.shape.length);
    const [count, width] = [shapeSize(segmentIds.shape), shapeSize(rest)];
    const to = heap.zeros([segments, ...rest]);
    heap.run('segmentSum', count * width, {
      ...{ x: heap.address(x), segments: heap.address(segmentIds), to: heap.address(to) },
      ...{ count, width, rows: segments },
    });
    return to;
  });
}
