import { fileNextTo } from '../files/file-next-to.js';
import { inputFiles } from '../files/input-files.js';
import type { OpenImagesOptions } from './open-images.js';
import { isOpenImagesCsv } from './open-images-csv.js';
import { hasVcocoActions, type VcocoOptions } from './vcoco.js';

/**
 * Returns the files of V-COCO. Its own form needs COCO's instances, by default `instances_vcoco_all_2014.json` next to the
 * annotations; PPDM's form needs none.
 * @param annotations a path or glob
 * @throws InputError if the annotations cannot be read
 */
export async function vcocoWithInstances(
  annotations: string,
  instances?: string,
): Promise<Pick<VcocoOptions, 'annotations' | 'instances'>> {
  const [file = annotations] = await inputFiles(annotations);
  const found =
    instances ?? ((await hasVcocoActions(file)) ? fileNextTo(file, 'instances_vcoco_all_2014.json') : undefined);
  return { annotations, ...(found !== undefined && { instances: found }) };
}

/**
 * Returns the files of Open Images' relations. The JSON forms need the names of the classes, by default `categories_dict.json` next
 * to the annotations; for CSV, the names are those of labels, and optional.
 * @param annotations a path or glob
 * @throws InputError if the annotations cannot be read
 */
export async function openImagesWithNames(
  annotations: string,
  names?: string,
): Promise<Pick<OpenImagesOptions, 'annotations' | 'categories' | 'descriptions'>> {
  const [file = annotations] = await inputFiles(annotations);
  if (await isOpenImagesCsv(file)) return { annotations, ...(names !== undefined && { descriptions: names }) };
  const categories = names ?? fileNextTo(file, 'categories_dict.json');
  return { annotations, ...(categories !== undefined && { categories }) };
}
