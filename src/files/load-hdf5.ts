import { optionalPackage } from './optional-package.js';

/**
 * Loads the optional package h5wasm, which reads and writes HDF5, ready to be used.
 * @param what needs it, for the error
 * @throws RelflowError (`missing-package`) when it is not installed
 */
export async function loadHdf5(what: string) {
  const problem = `${what} needs the package h5wasm, which is not installed: npm install h5wasm`;
  const hdf5 = await optionalPackage('h5wasm', problem, () => import('h5wasm/node'));
  const module = await hdf5.ready;
  // Else HDF5 prints a trace to stderr for every error.
  module.activate_throwing_error_handler();
  return hdf5;
}
