import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { registerGradients } from '../backends/register-gradients.js';
import { shapeRules } from '../backends/shape-rules.js';
import { type Recording, withoutUnusedCalls } from './recording.js';
import { RecordingBackend, recordingName } from './recording-backend.js';

/** A recording, and the data of the run that it was made from. */
export interface Recorded {
  readonly recording: Recording;
  /** The numbers of each `dataTensor` in this run, by name. */
  readonly data: ReadonlyMap<string, tf.TypedArray>;
}

/** Options of `recordKernels`. */
export interface RecordOptions {
  /** Name of the backend that will run the recording. */
  readonly target: string;
  /** Kernels that the target has. Default: those that are registered for it. */
  readonly kernels?: Iterable<string>;
  /**
   * Whether images of one canvas may have other sizes in another run, so that their padding is masked even if there is none.
   * Default true.
   */
  readonly isPadded?: boolean;
}

interface RecorderOptions extends RecordOptions {
  /** Whether calls are written down, or only the data is collected. Default true. */
  readonly isRecorded?: boolean;
}

const registered = new Map<string, ReadonlySet<string>>();

/** Registers the recording kernels of a target: those that it has and whose shapes are known. */
function register(target: string, kernels: Iterable<string>): void {
  const name = recordingName(target);
  const wanted = new Set([...kernels].filter((kernel) => shapeRules[kernel]));
  const known = registered.get(target);
  for (const kernel of known ?? []) if (!wanted.has(kernel)) tf.unregisterKernel(kernel, name);
  for (const kernelName of wanted)
    if (!known?.has(kernelName))
      tf.registerKernel({
        kernelName,
        backendName: name,
        kernelFunc: ({ inputs, attrs, backend }) =>
          (backend as unknown as RecordingBackend).call(kernelName, inputs, attrs ?? {}),
      });
  registered.set(target, wanted);
}

/** Makes a backend that is ready the active one, at once: no other work may run on the recording backend in between. */
const activate = (name: string): void => void tf.setBackend(name);

/**
 * Runs a function without computing anything, and writes down the kernels that it calls.
 *
 * The function must not depend on numbers, only on shapes: numbers that depend on the data come from `dataTensor`. It is
 * synchronous and must not read tensors. Variables are read at each replay.
 *
 * @param work returns the outputs by name
 * @throws RelflowError (`recording`) if the function reads a value, or calls a kernel that the target does not have or whose
 *   shape is not known
 */
export function recordKernels(options: RecordOptions, work: () => Readonly<Record<string, tf.Tensor>>): Recorded {
  return withRecorder(options, (recorder) => {
    let outputs: Record<string, number> = {};
    tf.tidy(() => {
      outputs = Object.fromEntries(Object.entries(work()).map(([key, tensor]) => [key, recorder.idOf(tensor)]));
    });
    const { values, constants, data, outside, calls } = recorder;
    return {
      recording: withoutUnusedCalls({ target: options.target, values, constants, data, outside, calls, outputs }),
      data: recorder.dataValues,
    };
  });
}

/**
 * Calls a function while a recording backend is the active one.
 * @throws as `recordKernels`
 */
export function withRecorder<T>(
  { target, kernels, isPadded = true, isRecorded = true }: RecorderOptions,
  work: (recorder: RecordingBackend) => T,
): T {
  registerGradients();
  register(target, kernels ?? tf.getKernelsForBackend(target).map(({ kernelName }) => kernelName));
  const name = recordingName(target);
  const before = tf.engine().backendName;
  const recorder = new RecordingBackend({ isRecorded, isPadded });
  tf.registerBackend(name, () => recorder);
  activate(name);
  try {
    return work(recorder);
  } catch (error) {
    const missing = /Kernel '(\w+)' not registered/.exec((error as Error).message);
    if (!missing) throw error;
    const problem = shapeRules[missing[1]!]
      ? `backend ${target} cannot run kernel '${missing[1]}' in a recorded step`
      : `kernel '${missing[1]}' has no shape rule`;
    throw new RelflowError('recording', `recording: ${problem}`, { kernel: missing[1]! }, { cause: error });
  } finally {
    if (before) activate(before);
    tf.removeBackend(name);
  }
}
