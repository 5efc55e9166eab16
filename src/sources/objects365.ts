import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import { objects365Categories } from '../vocabulary/categories.js';
import { type CocoOptions, cocoFormatSource } from './coco.js';

/** What a source of Objects365 annotations is told; `dataset` is `o365` unless given. */
export type Objects365Options = CocoOptions;

/**
 * Objects365 v2: COCO's format, read as `coco` does, where this differs:
 *
 * - Category names are those of relflow's vocabulary: lower case, single blanks, without the official file's slips
 *   (`Moniter/TV` is `monitor/tv`). Categories that the official list lacks are kept, in lower case and with single
 *   blanks, so files with fewer or other categories work by their own ids.
 * - An image's file is `patch16/objects365_v2_00900461.jpg`, as the archives unpack, where `file_name` is
 *   `images/v2/patch16/objects365_v2_00900461.jpg`; with `images` given it may also lie at the path as written.
 * - The split comes from the file name: `zhiyuan_objv2_train.json` is `train`.
 *
 * `isfake` and `isreflected`, which mark drawn and mirrored objects, are not looked at, as in RLIPv2.
 *
 * @throws OptionError where an option is out of range
 * Source: https://www.objects365.org; RLIPv2, datasets/rlipv2_helper/BLIP_o365_caption_helper.py
 */
export function objects365(options: Objects365Options): Source<ImageRecord> {
  const { dataset = 'o365', split } = options;
  return cocoFormatSource('objects365', options, {
    source: 'objects365',
    dataset,
    split: (file) => split ?? /(?:^|_)(train|val|test)(?=[._])/.exec(file)?.[1] ?? '',
    imageFiles,
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
