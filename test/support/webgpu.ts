import { RelflowError } from '../../src/errors.js';
import { useBackend } from '../../src/model/backends/use-backend.js';

/** Starts the webgpu backend, or skips the test or suite if a package or an adapter is missing. */
export async function webgpuOrSkip(context: Mocha.Context): Promise<void> {
  try {
    await useBackend('webgpu');
  } catch (error) {
    if (!(error instanceof RelflowError) || error.code !== 'no-backend') throw error;
    console.log(`      skipped: ${error.message}`);
    context.skip();
  }
}
