import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import { objects365Categories } from '../vocabulary/categories.js';
import { type CocoOptions, cocoFormatSource } from './coco.js';

/** Options of `objects365`; `dataset` defaults to `o365`. */
export type Objects365Options = CocoOptions;

/**
 * Reads Objects365 v2, which is in COCO's format, as `coco` does, with these differences:
 *
 * - Category names are those of relflow's vocabulary: lower case, single spaces, without the misspellings of the
 *   official file (`Moniter/TV` becomes `monitor/tv`). Categories that are not in the official list are kept in lower
 *   case with single spaces, so files with fewer or other categories work with their own ids.
 * - The file of an image is `patch16/objects365_v2_00900461.jpg`, the path in the unpacked archives, if `file_name` is
 *   `images/v2/patch16/objects365_v2_00900461.jpg`. If `images` is given, the path in `file_name` is tried too, and a
 *   bare name is looked for in the patch folders.
 * - The split comes from the file name: `zhiyuan_objv2_train.json` is `train`.
 *
 * `isfake` and `isreflected`, which mark drawn and mirrored objects, are ignored, as in RLIPv2.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://www.objects365.org; RLIPv2, datasets/rlipv2_helper/BLIP_o365_caption_helper.py
 *
 * @example
 * ```ts
 * import { Graph, objects365 } from 'relflow';
 *
 * const graph = new Graph('objects365');
 * graph.from(objects365({ annotations: 'zhiyuan_objv2_train.json', images: 'train', limit: 1000 }));
 * ```
 */
export function objects365(options: Objects365Options): Source<ImageRecord> {
  const { dataset = 'o365', split } = options;
  return cocoFormatSource('objects365', options, {
    source: 'objects365',
    dataset,
    split: (file) => split ?? /(?:^|_)(train|val|test)(?=[._])/.exec(file)?.[1] ?? '',
    imageFiles,
    uniqueNames: true,
    categoryName,
  });
}

const names = new Map(objects365Categories.map(({ official, name }) => [normalizeName(official), name]));

function categoryName(written: string): string {
  const name = normalizeName(written);
  return names.get(name) ?? name;
}

function normalizeName(name: string): string {
  return name.toLowerCase().trim().replace(/\s+/g, ' ');
}

function imageFiles(fileName: string): readonly [string, ...string[]] {
  const unpacked = /(?:^|\/)(patch\d+\/[^/]+)$/.exec(fileName)?.[1];
  return unpacked === undefined || unpacked === fileName ? [fileName] : [unpacked, fileName];
}
