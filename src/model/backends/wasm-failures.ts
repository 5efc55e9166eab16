import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';

/** First line that the module of the wasm backend has printed since the last check. */
let message: string | undefined;

/** Records a line that the module has printed. Its kernels print only when they fail, and then leave their output as it was. */
export function recordWasmMessage(line: string): void {
  message ??= line.trim();
}

/** Returns the first recorded line, and forgets it. */
export function takeWasmMessage(): string | undefined {
  const taken = message;
  message = undefined;
  return taken;
}

const guarded = new WeakSet<tf.KernelFunc>();

/**
 * Makes each registered kernel of the wasm backend throw when it reports a failure or traps. Must be called after kernels were
 * registered.
 */
export function guardWasmKernels(): void {
  for (const kernel of tf.getKernelsForBackend('wasm')) {
    if (guarded.has(kernel.kernelFunc)) continue;
    const kernelFunc = guard(kernel);
    guarded.add(kernelFunc);
    tf.unregisterKernel(kernel.kernelName, 'wasm');
    tf.registerKernel({ ...kernel, kernelFunc });
  }
}

/** @throws RelflowError (`kernel-failed`) */
function guard({ kernelName, kernelFunc }: tf.KernelConfig): tf.KernelFunc {
  return (call) => {
    let result: ReturnType<tf.KernelFunc>;
    try {
      result = kernelFunc(call);
    } catch (cause) {
      const printed = takeWasmMessage();
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
      throw kernelFailure(kernelName, printed ?? cause.message, call.inputs, cause);
    }
    const printed = takeWasmMessage();
    if (printed !== undefined) throw kernelFailure(kernelName, printed, call.inputs);
    return result;
  };
}

function kernelFailure(name: string, problem: string, inputs: tf.NamedTensorInfoMap, cause?: unknown): RelflowError {
  const shapes = Object.values(inputs ?? {}).flatMap((input) => (input ? [`[${[input].flat()[0]!.shape}]`] : []));
  return new RelflowError(
    'kernel-failed',
    `backend wasm: ${name} of ${shapes.join(', ') || 'no input'} failed: ${problem}`,
    { kernel: name },
    { cause },
  );
}
