import { InputError } from '../../../errors.js';
import { textLines } from '../../../files/json/json-lines.js';
import type { Corners } from '../../../records/corners.js';
import { readVcocoActions, readVcocoImages, type VcocoAction, type VcocoImage } from '../../../sources/vcoco-file.js';

/** A person of an image, as V-COCO's evaluator has it. */
export interface VcocoPerson {
  readonly box: Corners;
  /** For each action: whether the person does it; null if the person was not annotated. */
  readonly does: readonly boolean[] | null;
  /** For each action and role: the box of the object; null without one. */
  readonly roles: readonly (readonly (Corners | null)[])[];
}

/** The truth of V-COCO. */
export interface VcocoTruth {
  readonly actions: readonly { readonly name: string; readonly roles: readonly string[] }[];
  readonly images: readonly { readonly id: number; readonly file: string; readonly persons: readonly VcocoPerson[] }[];
}

/** Files of V-COCO's annotations. */
export interface VcocoFiles {
  /** `vcoco_test.json` or another split. */
  readonly annotations: string;
  /** COCO's boxes: `instances_vcoco_all_2014.json`. */
  readonly instances: string;
  /** The ids of the split's images, one a line: `vcoco_test.ids`; if given, they must be those of the annotations. */
  readonly split?: string;
}

const PERSON = 1;

/**
 * Reads V-COCO's annotations as its evaluator does: boxes end at x + max(0, w − 1), are clipped to the image and left out if
 * they have no area or are not wider and higher than a pixel. Persons without annotations stay, since predictions of them are
 * ignored.
 *
 * @throws InputError if the files do not belong together
 */
export async function readVcocoTruth({ annotations, instances, split }: VcocoFiles): Promise<VcocoTruth> {
  const actions = await readVcocoActions(annotations);
  const ids = new Set(actions[0]!.images);
  if (split !== undefined) await checkSplit(split, annotations, ids);
  const images = await readVcocoImages(instances, ids);
  const known = new Set(images.map(({ id }) => id));
  const lacking = [...ids].filter((id) => !known.has(id));
  if (lacking.length > 0)
    throw new InputError(instances, `lacks ${lacking.length} images of ${annotations}, first image ${lacking[0]}`);
  const entries = actions.map(({ persons }) => new Map(persons.map((id, k) => [id, k])));
  return {
    actions: actions.map(({ name, roles }) => ({ name, roles: roles.map((role) => role.name) })),
    images: images.map((image) => ({
      id: image.id,
      file: image.file,
      persons: personsOf(instances, image, actions, entries),
    })),
  };
}

function personsOf(
  file: string,
  image: VcocoImage,
  actions: readonly VcocoAction[],
  entries: readonly ReadonlyMap<number, number>[],
): VcocoPerson[] {
  const boxes = new Map<number, Corners>();
  for (const annotation of image.annotations) {
    const box = cleanBox(annotation.box, image);
    if (annotation.area > 0 && box[2] > box[0] && box[3] > box[1]) boxes.set(annotation.id, box);
  }
  return image.annotations.flatMap(({ id, category }): readonly VcocoPerson[] => {
    const box = boxes.get(id);
    if (category !== PERSON || !box) return [];
    if (!entries[0]!.has(id)) return [{ box, does: null, roles: [] }];
    const does = actions.map(({ labels }, k) => labels[entries[k]!.get(id) ?? -1] ?? false);
    const roles = actions.map(({ name, roles }, k) =>
      roles.map(({ objects }) => {
        const object = does[k] ? (objects[entries[k]!.get(id)!] ?? 0) : 0;
        if (object === 0) return null;
        const found = boxes.get(object);
        if (!found)
          throw new InputError(
            file,
            `image ${image.id}: '${name}' of person ${id} refers to the object ${object}, which has no usable box`,
          );
        return found;
      }),
    );
    return [{ box, does, roles }];
  });
}

function cleanBox(
  [x, y, w, h]: readonly [number, number, number, number],
  { width, height }: { readonly width: number; readonly height: number },
): Corners {
  const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  return [
    clip(x, width - 1),
    clip(y, height - 1),
    clip(x + Math.max(0, w - 1), width - 1),
    clip(y + Math.max(0, h - 1), height - 1),
  ];
}

async function checkSplit(split: string, annotations: string, ids: ReadonlySet<number>): Promise<void> {
  const listed = new Set<number>();
  for await (const { text, line } of textLines(split)) {
    const id = Number(text);
    if (!Number.isInteger(id))
      throw new InputError(split, `line ${line} is '${text.slice(0, 40)}', expected the id of an image`);
    listed.add(id);
  }
  const more = [...listed].filter((id) => !ids.has(id)).length;
  const fewer = [...ids].filter((id) => !listed.has(id)).length;
  if (more + fewer > 0)
    throw new InputError(
      split,
      `has ${more} images that ${annotations} lacks, and lacks ${fewer} of it, expected the same images`,
    );
}
