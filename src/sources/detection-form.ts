import { stat } from 'node:fs/promises';
import { InputError, OptionError } from '../errors.js';
import { filesBelow, inputFiles } from '../files/input-files.js';
import { firstBytes } from '../files/json/first-bytes.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import { type CocoOptions, coco } from './coco.js';
import { cvat } from './cvat.js';
import { labelStudioBoxes } from './label-studio.js';
import { pascalVoc } from './pascal-voc.js';
import { yolo } from './yolo.js';
import { isYaml } from './yolo-set.js';

/** A form of files with detections. */
export type DetectionForm = 'coco' | 'cvat' | 'label-studio' | 'pascal-voc' | 'yolo';

const startBytes = 64 * 1024;

/** What the start of a file contains, by its form. */
const starts: readonly (readonly [form: DetectionForm, start: RegExp])[] = [
  ['cvat', /^\ufeff?\s*(?:<[?!][^>]*>\s*)*<annotations\b/],
  ['pascal-voc', /^\ufeff?\s*(?:<[?!][^>]*>\s*)*<annotation\b/],
  [
    'label-studio',
    /^\ufeff?\s*\[\s*\{[\s\S]*"(?:annotations|predictions|completions)"\s*:\s*\[[\s\S]*"(?:result|was_cancelled)"\s*:/,
  ],
  ['yolo', /^\ufeff?\s*\d+(?:[ \t]+-?\d*\.?\d+(?:e-?\d+)?){4,}[ \t]*(?:\r?\n|$)/],
];

/** Returns the form of a file by its content, `coco` if it is none of the others. */
export async function detectionForm(file: string): Promise<DetectionForm> {
  if (isYaml(file)) return 'yolo';
  const text = (await firstBytes(file, startBytes)).toString('utf8');
  return starts.find(([, start]) => start.test(text))?.[0] ?? 'coco';
}

/**
 * Makes a source of detections in COCO's, YOLO's, Pascal VOC's, CVAT's or Label Studio's form, which the content of the first file
 * decides. `compat` is for COCO's format, and `memoryBytes` has no effect on the others.
 *
 * @param options `annotations` is also a folder, for YOLO and Pascal VOC
 * @throws OptionError if an option is missing or out of range
 * @throws InputError if no file matches, or a folder has none of these
 *
 * @example
 * ```ts
 * import { caption, captionFile, detections, Graph } from 'relflow';
 *
 * const graph = new Graph('boxes');
 * graph
 *   .from(await detections({ annotations: 'data.yaml' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })));
 * ```
 */
export async function detections(options: CocoOptions): Promise<Source<ImageRecord>> {
  const form = await formOfInput(options.annotations);
  if (form === 'coco') return coco(options);
  const { compat = false, memoryBytes: _, ...others } = options;
  if (compat) throw new OptionError(form, "'compat' reads COCO's format only, as RLIPv2 does");
  return sources[form](others);
}

const sources = { cvat, 'label-studio': labelStudioBoxes, 'pascal-voc': pascalVoc, yolo } as const;

async function formOfInput(annotations: string): Promise<DetectionForm> {
  if (!annotations) return 'coco';
  if (!(await stat(annotations).catch(() => null))?.isDirectory()) {
    // What cannot be read is named when the run reads it.
    const [file] = await inputFiles(annotations).catch(() => []);
    if (file === undefined) return 'coco';
    // An empty label file is that of an image without objects.
    return /\.txt$/i.test(file) ? 'yolo' : detectionForm(file).catch(() => 'coco' as const);
  }
  const names = await filesBelow(annotations);
  const has = (extension: string) => names.some((name) => name.toLowerCase().endsWith(extension));
  if (has('.xml')) return 'pascal-voc';
  if (has('.txt') || has('.yaml')) return 'yolo';
  throw new InputError(
    annotations,
    'is a folder without labels of YOLO (.txt) or Pascal VOC (.xml); give the annotation file of another format',
  );
}
