import envPaths from 'env-paths';

/**
 * Where answers are kept unless the user says otherwise: `RELFLOW_STORE`, else the user's folder for data of programs
 * (`~/.local/share/relflow` on Linux), so that all pipelines share what was paid for.
 */
export function defaultStoreFolder(): string {
  return process.env['RELFLOW_STORE'] || envPaths('relflow', { suffix: '' }).data;
}
