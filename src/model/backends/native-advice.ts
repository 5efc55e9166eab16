import type { CompiledKernels } from './compiled-kernels.js';
import type { NvidiaGpu } from './nvidia-gpus.js';

/** What `nativeAdvice` judges. */
export interface NativeSetup {
  /** Name of the package that has the library. */
  readonly package: string;
  /** The GPU that the library computes on; null on the processor. */
  readonly gpu: NvidiaGpu | null;
  readonly tf32: boolean;
  /** GPUs that the driver reports. */
  readonly gpus: readonly NvidiaGpu[];
}

/**
 * Says in one line where the TensorFlow C library computes, and what to do if a GPU is not used.
 * @returns a clause that continues the name of the backend, such as `runs on the processor; …`
 */
export function nativeAdvice({ package: name, gpu, tf32, gpus }: NativeSetup): string {
  if (gpu !== null) {
    const memory = gpu.memory > 0 ? `, ${(gpu.memory / 1e9).toFixed(1)} GB` : '';
    const precision = tf32
      ? 'TF32 on: about three correct digits'
      : 'TF32 off: full precision; option tf32 turns it on';
    return `runs on ${gpu.name}${memory}, driver ${gpu.driver}; ${precision}`;
  }
  const [first] = gpus;
  if (first)
    return `runs on the processor, although the driver reports ${first.name}: ${
      name.endsWith('-gpu')
        ? 'put the CUDA and cuDNN libraries into LD_LIBRARY_PATH'
        : `install @tensorflow/tfjs-node-gpu, or build ${name} with TensorFlow's library for GPUs`
    }, see docs/backends.md`;
  return name.endsWith('-gpu')
    ? `runs on the processor, although ${name} is installed: the driver reports no GPU; install NVIDIA's driver so that nvidia-smi lists one, see docs/backends.md`
    : 'runs on the processor; the driver reports no NVIDIA GPU, so there is nothing to do';
}

/**
 * Says in one line whether kernels were compiled for TensorFlow on a processor, and what is lost without them.
 * @returns a clause that continues `kernels of tensorflow`
 */
export function kernelAdvice(kernels: CompiledKernels | null): string {
  return kernels === null
    ? 'are not compiled: recorded steps take about 1.3 times as long and 1.4 times as much memory, with the same results; run relflow doctor --build-kernels, which needs a C compiler'
    : `were compiled by ${kernels.compiler}: ${kernels.file}`;
}
