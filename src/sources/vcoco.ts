import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { inputFiles } from '../files/input-files.js';
import { fieldsOf } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { vcocoVerbs } from '../vocabulary/vcoco.js';
import { type HoiImage, hoiImages } from './hoi-file.js';
import { cocoName, cocoNames, hoiAnnotation } from './hoi-record.js';
import type { AnnotatedImage } from './related-record.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';
import { readVcocoActions, readVcocoImages, type VcocoAction, type VcocoImage } from './vcoco-file.js';

/** Options of `vcoco`. */
export interface VcocoOptions extends RelatedSourceOptions {
  /** Path or glob of V-COCO's own `vcoco_test.json`, or of `test_vcoco.json` in PPDM's form, gzip or not. */
  readonly annotations: string;
  /**
   * Path or glob of COCO's instances, `instances_vcoco_all_2014.json`, or `instances_train2014.json` and
   * `instances_val2014.json`, which V-COCO's own form needs for boxes and sizes.
   */
  readonly instances?: string;
}

/**
 * Reads V-COCO: persons with 26 actions, which have up to two objects each or none. As in RLIPv2 they are 29 verbs, named as in
 * `vcoco_names_v3.json`: `hit` an object, `hit with` one. A relation without an object has the object null. Objects have COCO's
 * category names.
 *
 * In V-COCO's own form, the boxes are all that COCO's instances have of an image, crowds too, and a person of whom no action is
 * true has no relation. In PPDM's form, the id of an image is the number at the end of its file's name. Files are below `images` or in its folder
 * `train2014` or `val2014`.
 *
 * Rejects: `unknown-image` (COCO's instances lack it), `dangling-interaction`, `duplicate-image`, `image-missing`,
 * `malformed-image`, `unsafe-path`. Relations are dropped as `unknown-object` (COCO's instances lack a box), `undefined-predicate`
 * and `relation-of-dropped-box`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://github.com/s-gupta/v-coco; RLIPv2, convert_annotations/convert_vcoco_annotations.py
 *
 * @example
 * ```ts
 * import { Graph, sceneGraphs, vcoco } from 'relflow';
 *
 * const graph = new Graph('vcoco');
 * graph
 *   .from(vcoco({ annotations: 'vcoco_test.json', instances: 'instances_vcoco_all_2014.json' }))
 *   .to(sceneGraphs());
 * ```
 */
export function vcoco(options: VcocoOptions): Source<ImageRecord & Related> {
  return relatedSource(vcocoFiles(options), options);
}

/** Returns what `vcoco` reads, see there. */
export function vcocoFiles(options: VcocoOptions): RelatedSourceFiles {
  const { annotations, instances } = options;
  return {
    name: 'vcoco',
    annotations,
    ...(instances !== undefined && { others: [instances] }),
    dataset: 'vcoco',
    paths: {
      imageFiles: (name) => [name, ...(splitOf(name) === '' ? [] : [`${splitOf(name)}/${name}`])],
      uniqueNames: true,
    },
    async *read(file, { signal }) {
      if (await hasVcocoActions(file)) {
        if (instances === undefined)
          throw new InputError(
            file,
            "is in V-COCO's own form, which has no boxes; expected also COCO's instances, such as instances_vcoco_all_2014.json",
          );
        yield* imagesOfActions(await readVcocoActions(file), await inputFiles(instances));
      } else for await (const image of hoiImages(file, signal)) yield annotatedImage(file, image);
    },
  };
}

/** Returns whether a file is in V-COCO's own form, and not in PPDM's. */
export async function hasVcocoActions(file: string): Promise<boolean> {
  for await (const { values } of streamJson(file, { layout: 'list' })) return 'action_name' in fieldsOf(values[0]);
  return false;
}

function annotatedImage(file: string, image: HoiImage): AnnotatedImage {
  if (image.interactions.some(({ verb, triplet }) => verb >= vcocoVerbs.length || triplet !== null))
    throw new InputError(
      file,
      `image ${image.file} has an interaction with the verb ${Math.max(...image.interactions.map(({ verb }) => verb))} or a hoi_category_id, expected V-COCO's verbs 0 to 28; HICO-DET has these: read the file as HICO-DET`,
    );
  const number = /_0*(\d+)\.[^.]+$/.exec(image.file)?.[1];
  return {
    ...hoiAnnotation(image),
    ...(number !== undefined && { id: Number(number) }),
    split: splitOf(image.file),
    relations: image.interactions.map(({ subject, object, verb }) => ({
      subject,
      object,
      predicate: vcocoVerbs[verb]?.name ?? null,
    })),
  };
}

/** The relations of an image, by ids of COCO's annotations. */
type ActionsOfImage = { readonly person: number; readonly object: number; readonly verb: number }[];

async function* imagesOfActions(
  actions: readonly VcocoAction[],
  instances: readonly string[],
): AsyncGenerator<AnnotatedImage> {
  const relations = new Map<number, ActionsOfImage>();
  for (const image of actions.flatMap(({ images }) => images)) if (!relations.has(image)) relations.set(image, []);
  for (const [verb, { action, role }] of vcocoVerbs.entries()) {
    const found = actions.find(({ name }) => name === action);
    const objects = found?.roles.find(({ name }) => name === role)?.objects;
    for (const [entry, image] of found?.images.entries() ?? [])
      if (found!.labels[entry] && (role === null || objects))
        relations.get(image)!.push({ person: found!.persons[entry]!, object: objects?.[entry] ?? 0, verb });
  }
  const rest = new Set(relations.keys());
  for (const file of instances)
    for (const image of await readVcocoImages(file, rest)) {
      rest.delete(image.id);
      yield imageWithActions(image, relations.get(image.id)!);
    }
  for (const id of rest)
    yield {
      id,
      fileName: String(id),
      size: null,
      split: '',
      objects: [],
      relations: [],
      categories: cocoNames,
      refused: { reason: 'unknown-image', problem: `is not in ${instances.map((file) => basename(file)).join(', ')}` },
    };
}

function imageWithActions(
  { id, file, width, height, annotations }: VcocoImage,
  actions: ActionsOfImage,
): AnnotatedImage {
  const indices = new Map(annotations.map((annotation, index) => [annotation.id, index]));
  const relations = actions.flatMap(({ person, object, verb }) => {
    const [subject, target] = [indices.get(person), object === 0 ? null : indices.get(object)];
    return subject === undefined || target === undefined
      ? []
      : [{ subject, object: target, predicate: vcocoVerbs[verb]!.name }];
  });
  const unknown = actions.length - relations.length;
  return {
    id,
    fileName: file,
    size: { width, height },
    split: splitOf(file),
    objects: annotations.map((annotation) => ({
      id: annotation.id,
      category: cocoName(annotation.category),
      box: annotation.box,
    })),
    relations,
    categories: cocoNames,
    ...(unknown > 0 && { counts: { 'unknown-object': unknown } }),
  };
}

const splitOf = (file: string): string => /^COCO_((?:train|val|test)\d+)_/.exec(basename(file))?.[1] ?? '';
