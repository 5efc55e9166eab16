import { RelflowError } from '../errors.js';

/**
 * Loads the optional package h5wasm, which reads and writes HDF5, ready to be used.
 * @param what needs it, for the error
 * @throws RelflowError (`missing-package`) when it is not installed
 */
export async function loadHdf5(what: string) {
  const hdf5 = await import('h5wasm/node').catch((cause: unknown) => {
    throw new RelflowError(
      'missing-package',
      `${what} needs the package h5wasm, which is not installed: npm install h5wasm`,
      { package: 'h5wasm' },
      { cause },
    );
  });
  const module = await hdf5.ready;
  // Else HDF5 prints a trace to stderr for every error.
  module.activate_throwing_error_handler();
  return hdf5;
}
