import { stat } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { streamJson } from '../files/json/stream-json.js';
import { fileKind, fileKinds } from '../run-folder/file-kind.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { detectionForm } from '../sources/detection-form.js';
import { hoiSetName } from '../sources/hoi-record.js';
import { type InputFormOptions, inputSource } from '../sources/input-forms.js';
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
  const found = await stat(path).catch(() => null);
  return inputSource(where, from ?? (await formOf(path, found?.isDirectory() ?? false)), path, options);
}

/** Returns the form of a set by its content. */
async function formOf(path: string, isFolder: boolean): Promise<string> {
  // A folder without relflow's state is a finished run that was copied; the reader says what is missing.
  if (isFolder) return 'scene-graphs';
  const { kind } = await fileKind(path);
  switch (kind) {
    case 'relflow':
      return 'scene-graphs';
    case 'hoi':
      return hoiSetName(path);
    case 'coco':
      return (await hasRelations(path)) ? 'coco' : 'coco-detections';
    case 'boxes':
      return detectionForm(path);
    case 'vcoco':
    case 'vg150':
    case 'psg':
    case 'gqa':
      return kind;
    case 'openImages':
      return 'open-images';
    case 'genome':
      return 'visual-genome';
    default:
      throw new InputError(
        path,
        `is ${kind === null ? 'of an unknown kind' : fileKinds[kind]}, expected a run or a set with images; name its form with --from if it is one`,
      );
  }
}

async function hasRelations(file: string): Promise<boolean> {
  for await (const _ of streamJson(file, { layout: ['rel_categories'], required: [] })) return true;
  return false;
}
