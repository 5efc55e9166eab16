import { stat } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { streamJson } from '../files/json/stream-json.js';
import { detectionForm } from '../sources/detection-form.js';
import { hoiSetName } from '../sources/hoi-record.js';
import { type FileKind, fileKind, fileKinds } from './file-kind.js';

/**
 * Returns the form of a data set by its content, as `INPUT_FORMS` names it; a folder is that of a run.
 * @param forms those that the caller reads
 * @param expected what the caller reads, for the error
 * @throws InputError if the file is in none of the forms
 */
export async function formOfFile<F extends string>(file: string, forms: readonly F[], expected: string): Promise<F> {
  const isFolder = (await stat(file).catch(() => null))?.isDirectory() ?? false;
  const kind = isFolder ? 'relflow' : (await fileKind(file)).kind;
  const form = kind === null ? null : await formOfKind(file, kind);
  const known = forms.find((one) => one === form);
  if (known === undefined)
    throw new InputError(file, `is ${kind === null ? 'of an unknown kind' : fileKinds[kind]}, expected ${expected}`);
  return known;
}

async function formOfKind(file: string, kind: FileKind): Promise<string | null> {
  switch (kind) {
    case 'relflow':
      return 'scene-graphs';
    case 'hoi':
      return hoiSetName(file);
    case 'coco':
      return (await hasRelations(file)) ? 'coco' : 'coco-detections';
    case 'boxes':
      return detectionForm(file);
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
      return null;
  }
}

async function hasRelations(file: string): Promise<boolean> {
  for await (const _ of streamJson(file, { layout: ['rel_categories'], required: [] })) return true;
  return false;
}
