import { InputError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { readSmallJson } from '../files/read-small-file.js';
import { type Corners, isCorners } from '../records/corners.js';

/** The annotation of an image of Open Images' relations. */
export interface OpenImagesImage {
  /** The name of the image file as written: with its ending in RLIPv2's form, without in PySGG's. */
  readonly file: string;
  /** Pixels; null in RLIPv2's form, which has none. */
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly objects: readonly {
    readonly box: Corners /** Place in the list of objects, from 0. */;
    readonly category: number;
  }[];
  /** `subject` and `object` are indices in `objects`, `predicate` a place in the list of predicates, from 0. */
  readonly relations: readonly { readonly subject: number; readonly object: number; readonly predicate: number }[];
}

/** The names of Open Images' classes; the numbers of the annotations are places in these lists. */
export interface OpenImagesCategories {
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
}

/**
 * Reads relations of Open Images in RLIPv2's form (`OI_SGG_test.json`: `{file_name, annotations, rel_annotations}`) or
 * in PySGG's (`vrd-test-anno.json`: `{img_fn, img_size, bbox, det_labels, rel}`).
 *
 * @throws InputError that names the image, if the file is in neither form, an index is out of range or a number is not usable
 */
export async function* openImagesImages(
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<OpenImagesImage, void, void> {
  for await (const { values } of streamJson(file, { layout: 'list', ...(signal && { signal }) }))
    for (const value of values) yield readImage(file, value);
}

/**
 * Reads the names of the classes, `{obj, rel}`: `categories.json` of RLIPv2 or `categories_dict.json` of PySGG.
 * @throws InputError if the file is not in this form or lists a name twice
 */
export async function openImagesCategories(file: string): Promise<OpenImagesCategories> {
  const { obj, rel } = fieldsOf(await readSmallJson(file));
  return { objects: namesOf(file, 'obj', obj), predicates: namesOf(file, 'rel', rel) };
}

function namesOf(file: string, key: string, value: unknown): readonly string[] {
  const names = elementsOf(value);
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && name !== ''))
    throw new InputError(file, `'${key}' is ${formatJsonValue(value)}, expected a list of names`);
  const repeated = names.find((name, k) => names.indexOf(name) < k);
  if (repeated !== undefined) throw new InputError(file, `'${key}' lists '${repeated}' twice, expected each name once`);
  return names as readonly string[];
}

function readImage(file: string, value: unknown): OpenImagesImage {
  const fields = fieldsOf(value);
  if (typeof fields['file_name'] === 'string' && Array.isArray(fields['annotations']))
    return readRlipImage(file, fields);
  if (typeof fields['img_fn'] === 'string' && Array.isArray(fields['bbox'])) return readVrdImage(file, fields);
  throw new InputError(
    file,
    `found an image ${formatJsonValue(value)}, expected an object with file_name, annotations and rel_annotations, or with img_fn, img_size, bbox, det_labels and rel`,
  );
}

function readRlipImage(file: string, fields: Readonly<Record<string, unknown>>): OpenImagesImage {
  const name = fields['file_name'] as string;
  const objects = elementsOf(fields['annotations']).map((annotation, k) => {
    const { bbox, category_id: category } = fieldsOf(annotation);
    return readObject(file, `image ${name}: annotation ${k}`, bbox, category);
  });
  const relations = elementsOf(fields['rel_annotations']).map((relation, k) => {
    const { subject_id: subject, object_id: object, category_id: predicate } = fieldsOf(relation);
    return readRelation(file, `image ${name}: rel_annotation ${k}`, [subject, object, predicate], objects.length);
  });
  return { file: name, size: null, objects, relations };
}

function readVrdImage(file: string, fields: Readonly<Record<string, unknown>>): OpenImagesImage {
  const name = fields['img_fn'] as string;
  const labels = elementsOf(fields['det_labels']);
  const boxes = elementsOf(fields['bbox']);
  if (labels.length !== boxes.length)
    throw new InputError(
      file,
      `image ${name}: found ${boxes.length} boxes and ${labels.length} det_labels, expected as many`,
    );
  const objects = boxes.map((box, k) => readObject(file, `image ${name}: box ${k}`, box, labels[k]));
  const relations = elementsOf(fields['rel']).map((relation, k) =>
    readRelation(file, `image ${name}: rel ${k}`, elementsOf(relation), objects.length),
  );
  const [width, height] = elementsOf(fields['img_size']);
  const isSize = isWhole(width) && isWhole(height);
  return { file: name, size: isSize ? { width, height } : null, objects, relations };
}

function readObject(file: string, where: string, box: unknown, category: unknown): { box: Corners; category: number } {
  if (!isCorners(box) || !isWhole(category))
    throw new InputError(
      file,
      `${where} has the box ${formatJsonValue(box)} and the category ${formatJsonValue(category)}, expected [x1, y1, x2, y2] and a whole number from 0`,
    );
  return { box, category };
}

function readRelation(
  file: string,
  where: string,
  [subject, object, predicate]: readonly unknown[],
  count: number,
): { subject: number; object: number; predicate: number } {
  if (!isWhole(subject) || !isWhole(object) || !isWhole(predicate))
    throw new InputError(file, `${where} is not three whole numbers from 0: subject, object, predicate`);
  if (subject >= count || object >= count)
    throw new InputError(file, `${where} names objects ${subject} and ${object}, expected numbers below ${count}`);
  return { subject, object, predicate };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
