import { OptionError } from '../errors.js';
import type { AnnotatedSet } from '../records/annotated-set.js';
import { openImagesWithNames, vcocoWithInstances } from '../sources/companion-files.js';
import { isOpenImagesCsv } from '../sources/open-images-csv.js';
import { hasVcocoActions } from '../sources/vcoco.js';
import { vg150FilesOf } from '../sources/vg150-file.js';
import { fileKinds } from './file-kind.js';
import { formOfFile } from './form-of-file.js';

/** Other files of a data set, and its part. */
export interface DataSetOptions {
  /** COCO's instances, for V-COCO. */
  readonly instances?: string;
  /** `categories_dict.json`, for Open Images. */
  readonly categories?: string;
  /** `class-descriptions.csv`, for Open Images. */
  readonly descriptions?: string;
  /** The dictionary of VG150. */
  readonly dicts?: string;
  /** `image_data.json`, for VG150. */
  readonly imageData?: string;
  /** The part that is read, for VG150 and PSG. */
  readonly split?: string;
}

/** A data set with annotated relations: relflow's scene graphs, or one in its official files. */
export type DataSetOfFile = { readonly sceneGraphs: string } | AnnotatedSet;

/**
 * Returns the data set that a file begins, by its content. Other files that it needs are looked for next to it, unless they are
 * given.
 *
 * @param where the caller, for errors
 * @throws InputError if the file is not a data set with annotated relations
 * @throws OptionError if an option has no effect on it, or has a value that its form has not
 */
export async function dataSetOfFile(where: string, file: string, options: DataSetOptions): Promise<DataSetOfFile> {
  const form = await formOfFile(file, FORMS, expected);
  const { instances, categories, descriptions, dicts, imageData, split } = options;
  switch (form) {
    case 'scene-graphs':
      return without(where, options, [], { sceneGraphs: file });
    case 'hico':
    case 'gqa':
      return without(where, options, [], { [form]: { annotations: file } });
    case 'vcoco': {
      const used = (await hasVcocoActions(file)) ? (['instances'] as const) : [];
      return without(where, options, used, { vcoco: await vcocoWithInstances(file, instances) });
    }
    case 'open-images': {
      const isCsv = await isOpenImagesCsv(file);
      const set = await openImagesWithNames(file, isCsv ? descriptions : categories);
      return without(where, options, [isCsv ? 'descriptions' : 'categories'], { openImages: set });
    }
    case 'vg150': {
      const files = { ...vg150FilesOf(file), ...(dicts && { dicts }), ...(imageData && { imageData }) };
      const part = oneOf(where, split ?? 'test', ['train', 'val', 'test'] as const);
      return without(where, options, ['dicts', 'imageData', 'split'], { vg150: { ...files, split: part } });
    }
    case 'psg': {
      const part = oneOf(where, split ?? 'test', ['train', 'test', 'all'] as const);
      return without(where, options, ['split'], { psg: { annotations: file, split: part } });
    }
  }
}

const FORMS = ['scene-graphs', 'hico', 'vcoco', 'open-images', 'vg150', 'psg', 'gqa'] as const;
const expected = `a data set with relations: ${(['relflow', 'hoi', 'vcoco', 'openImages', 'vg150', 'psg', 'gqa'] as const).map((kind) => fileKinds[kind]).join(', ')}`;

function without(
  where: string,
  options: DataSetOptions,
  used: readonly (keyof DataSetOptions)[],
  set: DataSetOfFile,
): DataSetOfFile {
  const unused = Object.entries(options).find(
    ([name, value]) => value !== undefined && !used.includes(name as keyof DataSetOptions),
  )?.[0];
  if (unused !== undefined)
    throw new OptionError(where, `'${unused}' has no effect on this data set (${Object.keys(set)[0]})`);
  return set;
}

function oneOf<T extends string>(where: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw new OptionError(where, `unknown split '${value}', expected one of ${choices.join(', ')}`);
  return found;
}
