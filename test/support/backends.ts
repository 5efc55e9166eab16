import { RelflowError } from '../../src/errors.js';
import type { BackendName } from '../../src/model/backends/backend-names.js';
import { type Backend, useBackend } from '../../src/model/backends/use-backend.js';

/** Starts a backend, or skips the test or suite if a package, a library or an adapter is missing. */
export async function backendOrSkip(context: Mocha.Context, name: BackendName): Promise<Backend> {
  try {
    return await useBackend(name, name === 'wasm' ? { threads: 1 } : {});
  } catch (error) {
    if (!(error instanceof RelflowError) || error.code !== 'no-backend') throw error;
    console.log(`      skipped: ${error.message}`);
    return context.skip();
  }
}
