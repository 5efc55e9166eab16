import { InputError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import type { Box } from '../records/box.js';
import { isBox } from './box-forms.js';

/** A role of an action besides the agent: `obj` or `instr`. */
export interface VcocoRole {
  readonly name: string;
  /** For each entry of the action, the id of COCO's annotation of the object; 0 if there is none. */
  readonly objects: readonly number[];
}

/** One of V-COCO's 26 actions with its entries: one for each annotated person. */
export interface VcocoAction {
  readonly name: string;
  /** The id of the image of each entry. */
  readonly images: readonly number[];
  /** The id of COCO's annotation of each entry's person. */
  readonly persons: readonly number[];
  /** Whether the person of each entry does the action. */
  readonly labels: readonly boolean[];
  readonly roles: readonly VcocoRole[];
}

/**
 * Reads V-COCO's own annotations (`vcoco_train.json`, `vcoco_val.json`, `vcoco_test.json`): one object for each action,
 * `{action_name, role_name, image_id, ann_id, label, role_object_id}`. `role_object_id` lists the agents of all entries,
 * then the objects of the first role, then those of the second.
 *
 * @throws InputError that names the action, if the file is not in this form or its lists differ in length
 */
export async function readVcocoActions(file: string): Promise<readonly VcocoAction[]> {
  const actions: VcocoAction[] = [];
  for await (const { values } of streamJson(file, { layout: 'list' }))
    for (const value of values) {
      const action = readAction(file, value);
      if (actions.some(({ name }) => name === action.name))
        throw new InputError(file, `the action '${action.name}' occurs twice`);
      actions.push(action);
    }
  if (actions.length === 0) throw new InputError(file, 'contains no action, expected the 26 of V-COCO');
  return actions;
}

function readAction(file: string, value: unknown): VcocoAction {
  const fields = fieldsOf(value);
  const { action_name: name, role_name: roles } = fields;
  if (typeof name !== 'string' || !Array.isArray(roles) || roles[0] !== 'agent')
    throw new InputError(
      file,
      `found ${formatJsonValue(value)}, expected an action with action_name, role_name (agent first), image_id, ann_id, label and role_object_id`,
    );
  const list = (key: string, length: number): readonly number[] => {
    const numbers = elementsOf(fields[key]);
    if (numbers.length !== length || !numbers.every(Number.isSafeInteger))
      throw new InputError(
        file,
        `action '${name}': ${key} has ${numbers.length} elements, expected ${length} whole numbers`,
      );
    return numbers as readonly number[];
  };
  const count = elementsOf(fields['image_id']).length;
  const ids = list('role_object_id', roles.length * count);
  const persons = list('ann_id', count);
  const labels = list('label', count);
  const different = persons.findIndex((id, k) => id !== ids[k]);
  if (different >= 0)
    throw new InputError(
      file,
      `action '${name}', entry ${different}: ann_id is ${persons[different]} and the agent ${ids[different]}, expected the same`,
    );
  return {
    name,
    images: list('image_id', count),
    persons,
    labels: labels.map((label) => label === 1),
    roles: roles
      .slice(1)
      .map((role, k) => ({ name: String(role), objects: ids.slice((k + 1) * count, (k + 2) * count) })),
  };
}

/** An image of V-COCO with the boxes of COCO's annotations. */
export interface VcocoImage {
  readonly id: number;
  readonly file: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly annotations: readonly VcocoAnnotation[];
}

/** A box of COCO's annotations. */
export interface VcocoAnnotation {
  readonly id: number;
  /** COCO's category id, 1 to 90. */
  readonly category: number;
  /** `[x, y, w, h]` in pixels. */
  readonly box: Box;
  /** Area of the mask in square pixels as COCO gives it; without one, that of the box. */
  readonly area: number;
}

/**
 * Reads COCO's boxes that V-COCO's annotations refer to (`instances_vcoco_all_2014.json`), for the given images only.
 *
 * @param ids the images to read; others are skipped, as are annotations to ignore
 * @returns the images in the order of the file, their annotations in the order of the file
 * @throws InputError if the file is not in COCO's form, or an image or a box is not usable
 */
export async function readVcocoImages(file: string, ids: ReadonlySet<number>): Promise<readonly VcocoImage[]> {
  const images = new Map<number, Omit<VcocoImage, 'annotations'>>();
  const boxes = new Map<number, VcocoAnnotation[]>();
  const layout = ['images', 'annotations'];
  for await (const { section, values } of streamJson(file, { layout, skippedKeys: ['segmentation'] }))
    for (const value of values) {
      const fields = fieldsOf(value);
      if (section === 'images') {
        const { id, file_name: name, width, height } = fields;
        if (!isWhole(id) || !isWhole(width) || !isWhole(height) || typeof name !== 'string')
          throw new InputError(
            file,
            `found an image ${formatJsonValue(value)}, expected id, file_name, width and height`,
          );
        if (ids.has(id)) images.set(id, { id, file: name, width, height });
      } else if (ids.has(fields['image_id'] as number)) {
        const { id, image_id: image, category_id: category, bbox, area } = fields;
        if (!isWhole(id) || !isWhole(category) || !isBox(bbox))
          throw new InputError(
            file,
            `found an annotation ${formatJsonValue(value)}, expected id, category_id and bbox [x, y, w, h]`,
          );
        if (fields['ignore'] === 1) continue;
        const list = boxes.get(image as number) ?? [];
        boxes.set(image as number, list);
        list.push({ id, category, box: bbox, area: typeof area === 'number' ? area : bbox[2] * bbox[3] });
      }
    }
  return [...images.values()].map((image) => ({ ...image, annotations: boxes.get(image.id) ?? [] }));
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
