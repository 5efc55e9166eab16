import { InputError, OptionError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue, idProblem, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { boxOfCorners, isCorners } from '../records/corners.js';
import type { Id, ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { isSide } from './image-sizes.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';

/** The parts of PSG. */
export const PSG_SPLITS = ['train', 'test', 'all'] as const;

/** Options of `psg`. */
export interface PsgOptions extends RelatedSourceOptions {
  /** Path of `psg.json`, gzip or not. */
  readonly annotations: string;
  /** The part that is read: the images of `test_image_ids`, the others, or all. Default `all`. */
  readonly split?: (typeof PSG_SPLITS)[number];
  /** Reads images without relations too, which the official loader leaves out. Default false. */
  readonly withoutRelations?: boolean;
}

/**
 * Reads PSG, panoptic scene graphs of COCO's images: boxes of things and stuff with the relations between them; masks are not
 * read. Equal relations and all predicates of a pair are kept. The file of an image is its `file_name`, such as
 * `train2017/000000000009.jpg`, below `images`.
 *
 * Rejects: `duplicate-image`, `image-missing`, `unsafe-path`. Relations are dropped as `undefined-predicate` and
 * `relation-of-dropped-box`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: OpenPSG, openpsg/datasets/psg.py
 *
 * @example
 * ```ts
 * import { Graph, psg, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('psg');
 * graph.from(psg({ annotations: 'psg.json', images: 'coco', split: 'test' })).to(sceneGraphs());
 * ```
 */
export function psg(options: PsgOptions): Source<ImageRecord & Related> {
  return relatedSource(psgFiles(options), options);
}

/** Returns what `psg` reads, see there. */
export function psgFiles(options: PsgOptions): RelatedSourceFiles {
  const { annotations, split = 'all', withoutRelations = false } = options;
  const name = 'psg';
  if (!PSG_SPLITS.includes(split))
    throw new OptionError(name, `unknown split '${split}', expected one of ${PSG_SPLITS.join(', ')}`);
  return {
    name,
    annotations,
    options: { split, withoutRelations },
    dataset: 'psg',
    async *read(file, { signal }) {
      const { objects: categories, predicates, testImages } = await readPsgNames(file, signal);
      for await (const { first, values } of streamJson(file, { layout: ['data'], signal }))
        for (const [k, value] of values.entries()) {
          const image = readImage(file, first + k, value);
          const part = testImages.has(image.id) ? 'test' : 'train';
          if (split !== 'all' && part !== split) continue;
          if (!withoutRelations && image.relations.length === 0) continue;
          yield {
            id: image.id,
            fileName: image.file,
            size: image.size,
            split: part,
            objects: image.objects.map(({ category, box }) => ({
              category: categories[category] ?? null,
              box: boxOfCorners(box),
            })),
            relations: image.relations.map(([subject, object, predicate]) => ({
              subject,
              object,
              predicate: predicates[predicate] ?? null,
            })),
            categories,
          };
        }
    },
  };
}

/**
 * Reads the names of PSG's categories, things before stuff, and predicates, and the ids of the test images; they may be after the
 * images in the file.
 * @throws InputError if the file is not in this form
 */
export async function readPsgNames(file: string, signal?: AbortSignal) {
  const lists: Record<string, unknown[]> = {};
  const layout = ['thing_classes', 'stuff_classes', 'predicate_classes', 'test_image_ids'];
  const required = ['thing_classes', 'predicate_classes'];
  for await (const { section, values } of streamJson(file, { layout, required, ...(signal && { signal }) })) {
    lists[section] ??= [];
    lists[section].push(...values);
  }
  const names = (section: string): string[] => {
    const found = lists[section] ?? [];
    const wrong = found.findIndex((name) => typeof name !== 'string' || name === '');
    if (wrong >= 0)
      throw new InputError(
        file,
        `'${section}' has ${formatJsonValue(found[wrong])} at place ${wrong}, expected a name`,
      );
    return found as string[];
  };
  return {
    objects: [...names('thing_classes'), ...names('stuff_classes')],
    predicates: names('predicate_classes'),
    testImages: new Set((lists['test_image_ids'] ?? []).map(readId)),
  };
}

function readImage(file: string, position: number, value: unknown) {
  const fields = fieldsOf(value);
  const { image_id: written, file_name: name, width, height } = fields;
  const id: Id | undefined = readId(written);
  if (id === undefined) throw new InputError(file, `entry ${position} of 'data': image_id is ${idProblem(written)}`);
  if (typeof name !== 'string' || !isSide(width) || !isSide(height))
    throw new InputError(
      file,
      `image ${id} has the file_name ${formatJsonValue(name)}, width ${formatJsonValue(width)} and height ${formatJsonValue(height)}, expected a path and whole numbers of pixels`,
    );
  const objects = elementsOf(fields['annotations']).map((annotation, k) => {
    const { bbox, category_id: category } = fieldsOf(annotation);
    if (!isCorners(bbox) || !isIndex(category, Number.POSITIVE_INFINITY))
      throw new InputError(
        file,
        `image ${id}: annotation ${k} is ${formatJsonValue(annotation)}, expected bbox [x1, y1, x2, y2] and a category_id from 0`,
      );
    return { box: bbox, category };
  });
  const relations = elementsOf(fields['relations']).map((relation, k) => {
    const [subject, object, predicate] = elementsOf(relation);
    if (
      !isIndex(subject, objects.length) ||
      !isIndex(object, objects.length) ||
      !isIndex(predicate, Number.POSITIVE_INFINITY)
    )
      throw new InputError(
        file,
        `image ${id}: relation ${k} is ${formatJsonValue(relation)}, expected [subject, object, predicate] with objects below ${objects.length}`,
      );
    return [subject, object, predicate] as const;
  });
  return { id, file: name, size: { width, height }, objects, relations };
}

const isIndex = (value: unknown, below: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < below;
