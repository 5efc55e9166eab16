import { RecordError, RelflowError } from '../errors.js';

/**
 * Runs the model on an image, and rejects the image if a kernel of the backend fails on it: the failure may depend on the
 * sizes of this image.
 * @param file path of the image
 * @throws RecordError (`kernel-failed`)
 */
export async function rejectingFailedKernels<T>(file: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof RelflowError && error.code === 'kernel-failed')) throw error;
    throw new RecordError('kernel-failed', `${file}: ${error.message}`, { ...error.fields }, { cause: error });
  }
}
