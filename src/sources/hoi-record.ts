import { basename } from 'node:path';
import { boxOfCorners } from '../records/corners.js';
import { coco80Categories } from '../vocabulary/categories.js';
import { vcocoVerbs } from '../vocabulary/vcoco.js';
import { type HoiImage, hoiImages } from './hoi-file.js';
import type { AnnotatedImage } from './related-record.js';

/** The names of COCO's categories. */
export const cocoNames: readonly string[] = coco80Categories.map(({ name }) => name);

const namesById: ReadonlyMap<number, string> = new Map(coco80Categories.map(({ id, name }) => [id, name]));

/** Returns the name of a category of COCO, 1 to 90; null if there is none. */
export const cocoName = (id: number): string | null => namesById.get(id) ?? null;

/** Returns what an image in PPDM's form has alike in HICO-DET and V-COCO: all but its split and relations. */
export const hoiAnnotation = ({ file, objects, dangling }: HoiImage): Omit<AnnotatedImage, 'split' | 'relations'> => ({
  id: basename(file),
  fileName: file,
  size: null,
  objects: objects.map(({ box, category }) => ({ category: cocoName(category), box: boxOfCorners(box) })),
  categories: cocoNames,
  ...(dangling > 0 && {
    refused: {
      reason: 'dangling-interaction',
      problem: `${dangling} ${dangling === 1 ? 'interaction refers' : 'interactions refer'} to a box that the image lacks`,
    },
  }),
});

/**
 * Returns whether a file in PPDM's form is of HICO-DET or V-COCO: only V-COCO has relations without an object and the verb 0,
 * and only HICO-DET has numbers of combinations and verbs beyond 28.
 * @throws InputError if the file is not in this form
 */
export async function hoiSetName(file: string): Promise<'hico' | 'vcoco'> {
  for await (const { interactions } of hoiImages(file)) {
    if (interactions.some(({ object, verb }) => object === null || verb === 0)) return 'vcoco';
    if (interactions.some(({ triplet, verb }) => triplet !== null || verb >= vcocoVerbs.length)) return 'hico';
  }
  return 'hico';
}
