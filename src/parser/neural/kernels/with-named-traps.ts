import { RecordError } from '../../../errors.js';

/**
 * Runs the parser's kernels on a caption.
 * @throws RecordError (`kernel-failed`) if a kernel traps, which is a fault of relflow; other errors unchanged
 */
export function withNamedTraps<T>(caption: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const shown = JSON.stringify(caption.slice(0, 80));
    throw new RecordError(
      'kernel-failed',
      `neuralParser: a kernel failed on the caption ${shown}: ${error.message}`,
      {
        parser: 'neural',
      },
      { cause: error },
    );
  }
}
