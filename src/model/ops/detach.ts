import * as tf from '@tensorflow/tfjs-core';

/** The same values with no gradient: what is computed from them is constant to whoever differentiates. */
export function detach<T extends tf.Tensor>(x: T): T {
  const engine = tf.engine();
  engine.backend.incRef(x.dataId);
  return engine.makeTensorFromTensorInfo({ dataId: x.dataId, shape: x.shape, dtype: x.dtype }) as T;
}
