import { RelflowError } from '../errors.js';

/**
 * Loads an optional package.
 * @param name of the package
 * @param problem what needs it, and how it is installed
 * @throws RelflowError (`missing-package`) when it is not installed; a package that is damaged throws its own error
 */
export async function optionalPackage<T>(name: string, problem: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // A package that is installed but lacks one of its own dependencies has another problem.
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    throw new RelflowError('missing-package', problem, { package: name }, { cause });
  }
}
