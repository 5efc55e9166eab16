import * as tf from '@tensorflow/tfjs-core';

/** Returns the same values as a constant, through which no gradient flows. Source: PyTorch, `Tensor.detach`. */
export function detach<T extends tf.Tensor>(x: T): T {
  const engine = tf.engine();
  engine.backend.incRef(x.dataId);
  return engine.makeTensorFromTensorInfo({ dataId: x.dataId, shape: x.shape, dtype: x.dtype }) as T;
}
