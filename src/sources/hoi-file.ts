import { InputError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { type Corners, isCorners } from '../records/corners.js';

/** A box of an image in PPDM's form. */
export interface HoiObject {
  readonly box: Corners;
  /** COCO's category id, 1 to 90. */
  readonly category: number;
}

/** A human-object interaction in PPDM's form. */
export interface HoiInteraction {
  /** Index in `objects`. */
  readonly subject: number;
  /** Index in `objects`; null if the interaction has no object (−1 in the file, V-COCO only). */
  readonly object: number | null;
  /** The number of the verb as written: 1 to 117 in HICO-DET, 0 to 28 in V-COCO. */
  readonly verb: number;
  /** `hoi_category_id`, 1 to 600; null if the file has none. */
  readonly triplet: number | null;
}

/** The annotation of an image in PPDM's form. */
export interface HoiImage {
  /** The path of the image file as written. */
  readonly file: string;
  readonly objects: readonly HoiObject[];
  readonly interactions: readonly HoiInteraction[];
  /**
   * The interactions whose subject or object is not in `objects`; they are not in `interactions`. The official readers
   * skip such an image in training.
   */
  readonly dangling: number;
}

/**
 * Reads annotations of human-object interactions in PPDM's form: `trainval_hico.json`, `test_hico.json`,
 * `trainval_vcoco.json`, `test_vcoco.json`. Each image is `{file_name, annotations: [{bbox: [x1, y1, x2, y2],
 * category_id}], hoi_annotation: [{subject_id, object_id, category_id, hoi_category_id}]}`.
 *
 * @throws InputError that names the image, if the file is not in this form or a number is not usable
 */
export async function* hoiImages(file: string, signal?: AbortSignal): AsyncGenerator<HoiImage, void, void> {
  for await (const { values } of streamJson(file, { layout: 'list', ...(signal && { signal }) }))
    for (const value of values) yield readHoiImage(file, value);
}

function readHoiImage(file: string, value: unknown): HoiImage {
  const { file_name: name, annotations, hoi_annotation: interactions } = fieldsOf(value);
  if (typeof name !== 'string' || name === '' || !Array.isArray(annotations) || !Array.isArray(interactions))
    throw new InputError(
      file,
      `found an image ${formatJsonValue(value)}, expected an object with file_name, annotations and hoi_annotation`,
    );
  const objects = annotations.map((annotation, k) => {
    const { bbox, category_id: category } = fieldsOf(annotation);
    if (!isCorners(bbox) || !isWhole(category))
      throw new InputError(
        file,
        `image ${name}: annotation ${k} is ${formatJsonValue(annotation)}, expected bbox [x1, y1, x2, y2] and a category_id`,
      );
    return { box: bbox, category };
  });
  const isIndex = (index: number) => index >= 0 && index < objects.length;
  let dangling = 0;
  const kept: HoiInteraction[] = [];
  for (const [k, interaction] of elementsOf(interactions).entries()) {
    const {
      subject_id: subject,
      object_id: object,
      category_id: verb,
      hoi_category_id: triplet,
    } = fieldsOf(interaction);
    if (!isWhole(subject) || !isWhole(object) || !isWhole(verb))
      throw new InputError(
        file,
        `image ${name}: hoi_annotation ${k} is ${formatJsonValue(interaction)}, expected whole numbers subject_id, object_id and category_id`,
      );
    if (!isIndex(subject) || (object !== -1 && !isIndex(object))) dangling++;
    else
      kept.push({ subject, object: object === -1 ? null : object, verb, triplet: isWhole(triplet) ? triplet : null });
  }
  return { file: name, objects, interactions: kept, dangling };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
