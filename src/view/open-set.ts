import { stat } from 'node:fs/promises';
import { formOfFile } from '../run-folder/form-of-file.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { INPUT_FORMS, type InputFormOptions, inputSource } from '../sources/input-forms.js';
import { type ViewSet, viewRun, viewSource } from './server/view-set.js';

/** How a set is read that is not a run. */
export interface OpenSetOptions extends InputFormOptions {
  /** Form of the set, as `relflow convert --from` names it; default: by its content. */
  readonly from?: string;
}

/**
 * Opens a run, or a set in any form that relflow reads.
 * @param where the caller, for errors
 * @throws InputError when the content does not show the form
 * @throws OptionError when an option has no effect on the form
 */
export async function openSet(where: string, path: string, options: OpenSetOptions = {}): Promise<ViewSet> {
  if (options.from === undefined && (await stat(path).catch(() => null))?.isDirectory()) {
    const folder = new RunFolder(path);
    if (await folder.state()) return viewRun(folder);
  }
  return viewSource(path, await setSource(where, path, options));
}

/** Makes the source of a finished run, or of a set in any form that relflow reads. @throws as `openSet` */
export async function setSource(where: string, path: string, { from, ...options }: OpenSetOptions = {}) {
  const expected = 'a run or a set with images; name its form with --from if it is one';
  return inputSource(where, from ?? (await formOfFile(path, Object.keys(INPUT_FORMS), expected)), path, options);
}
