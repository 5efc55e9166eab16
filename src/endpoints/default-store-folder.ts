import envPaths from 'env-paths';

/**
 * Returns the default folder of the answer store: `RELFLOW_STORE`, else the user's folder for application data
 * (`~/.local/share/relflow` on Linux), so that all pipelines share the answers that were paid for.
 *
 * @example
 * ```ts
 * import { AnswerStore, defaultStoreFolder } from 'relflow/captions';
 *
 * const store = await AnswerStore.open(defaultStoreFolder());
 * await store.close();
 * ```
 */
export function defaultStoreFolder(): string {
  return process.env['RELFLOW_STORE'] || envPaths('relflow', { suffix: '' }).data;
}
