import { tmpdir } from 'node:os';
import { InputError } from '../../../errors.js';
import type { Box } from '../../../records/box.js';
import { type Corners, cornersOf } from '../../../records/corners.js';
import type { Id } from '../../../records/image.js';
import { schemaLines } from '../../../run-folder/schema-lines.js';
import { psgFiles } from '../../../sources/psg.js';
import { sceneGraphFiles } from '../../../sources/scene-graph-lines.js';
import { Vg150File, type Vg150Files } from '../../../sources/vg150-file.js';

/** An image of a scene-graph benchmark with its true objects and relations. */
export interface GraphImage {
  readonly id: string;
  /** Name of the image file, if the annotations have it. */
  readonly file: string | null;
  readonly objects: readonly {
    readonly box: Corners /** Number of the name in `objects`. */;
    readonly label: number;
  }[];
  readonly relations: readonly {
    /** Index in the image's objects. */
    readonly subject: number;
    /** Index in the image's objects. */
    readonly object: number;
    /** Number of the name in `predicates`. */
    readonly predicate: number;
  }[];
}

/** The truth of a scene-graph benchmark. */
export interface GraphTruth {
  /** The file of the annotations, for messages. */
  readonly file: string;
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
  readonly images: readonly GraphImage[];
  /** Key of each triplet that no training image has, see `graphTripletKey`; null if no training images are known. */
  readonly zeroShot: ReadonlySet<string> | null;
  /** Whether boxes include the pixel at their end; default true. */
  readonly extraPixel?: boolean;
  /** Images without relations, which are left out. */
  readonly withoutRelations: number;
}

/** Returns the key of a triplet of numbers. */
export const graphTripletKey = (subject: number, object: number, predicate: number): string =>
  `${subject} ${object} ${predicate}`;

const tripletsOf = ({ objects, relations }: Pick<GraphImage, 'objects' | 'relations'>): string[] =>
  relations.map(({ subject, object, predicate }) =>
    graphTripletKey(objects[subject]!.label, objects[object]!.label, predicate),
  );

/**
 * Reads the test images of VG150. Zero-shot triplets are those that no image of the training split has, validation included.
 * @throws as `Vg150File.open`
 */
export async function readVg150Truth(files: Vg150Files): Promise<GraphTruth> {
  const file = await Vg150File.open(files);
  const seen = new Set<string>();
  const read = (split: 0 | 2) =>
    [...file.images(split)].map(({ id, objects, relations }) => ({
      id: `${id}`,
      file: null,
      objects: objects.map(({ label, box }) => ({ label: label - 1, box })),
      relations: relations.map(({ subject, object, predicate }) => ({ subject, object, predicate: predicate - 1 })),
    }));
  for (const image of read(0)) for (const triplet of tripletsOf(image)) seen.add(triplet);
  const images = read(2);
  const unseen = new Set(images.flatMap(tripletsOf).filter((triplet) => !seen.has(triplet)));
  return {
    file: files.graphs,
    objects: file.objects,
    predicates: file.predicates,
    ...withRelations(images),
    zeroShot: unseen,
  };
}

/**
 * Reads relflow's scene graphs as the truth. Relations without an object are not read. Mean recall is over the predicates that occur.
 *
 * @param pattern a file, a glob or the folder of a run
 * @param training scene graphs of a training split, which decide what is zero-shot; omitted if there are none
 */
export async function readSceneGraphTruth(pattern: string, training?: string): Promise<GraphTruth> {
  const names = new NamesInOrder();
  const read = async (from: string) => {
    const images: GraphImage[] = [];
    for (const file of await sceneGraphFiles(from))
      for await (const { image, objects, relations } of schemaLines(file, 'scene-graph'))
        images.push(
          names.image(
            image.id,
            image.file,
            objects.map(({ category, box }) => ({ category, box })),
            relations.filter((relation): relation is NamedRelation => relation.object !== null),
          ),
        );
    return images;
  };
  const images = await read(pattern);
  const { objects, predicates } = names;
  if (training === undefined) return { file: pattern, objects, predicates, ...withRelations(images), zeroShot: null };
  const seen = new Set((await read(training)).flatMap(tripletsOf));
  const zeroShot = new Set(images.flatMap(tripletsOf).filter((triplet) => !seen.has(triplet)));
  return { file: pattern, objects, predicates, ...withRelations(images), zeroShot };
}

/**
 * Reads the test images of PSG (`psg.json`) with the boxes of its segments; of equal relations one is kept, as in OpenPSG. Mean
 * recall is over the predicates that occur.
 *
 * Source: OpenPSG (commit 34b2a89), openpsg/datasets/psg.py; its boxes have no extra pixel.
 */
export async function readPsgTruth(file: string): Promise<GraphTruth> {
  const names = new NamesInOrder();
  const images: GraphImage[] = [];
  const context = { signal: new AbortController().signal, tempDir: tmpdir(), progress: () => {} };
  for await (const { id, fileName, objects, relations } of psgFiles({ annotations: file, split: 'test' }).read(
    file,
    context,
  )) {
    const distinct = new Map<string, NamedRelation>();
    for (const { subject, object, predicate } of relations)
      if (object !== null && predicate !== null)
        distinct.set(`${subject} ${object} ${predicate}`, { subject, object, predicate });
    const boxes = objects.map(({ category, box }) => ({ category: category ?? '', box }));
    images.push(names.image(id, fileName, boxes, [...distinct.values()]));
  }
  if (images.length === 0) throw new InputError(file, 'has no test image with relations, expected test_image_ids');
  const { objects, predicates } = names;
  return { file, objects, predicates, ...withRelations(images), zeroShot: null, extraPixel: false };
}

interface NamedRelation {
  readonly subject: number;
  readonly object: number;
  readonly predicate: string;
}

/** Numbers names in the order in which they occur. */
class NamesInOrder {
  readonly #objects = new Map<string, number>();
  readonly #predicates = new Map<string, number>();

  get objects(): readonly string[] {
    return [...this.#objects.keys()];
  }

  get predicates(): readonly string[] {
    return [...this.#predicates.keys()];
  }

  image(
    id: Id,
    file: string,
    objects: readonly { readonly category: string; readonly box: Box }[],
    relations: readonly NamedRelation[],
  ): GraphImage {
    const numberOf = (known: Map<string, number>, name: string) => {
      const number = known.get(name) ?? known.size;
      known.set(name, number);
      return number;
    };
    return {
      id: `${id}`,
      file,
      objects: objects.map(({ category, box }) => ({ label: numberOf(this.#objects, category), box: cornersOf(box) })),
      relations: relations.map(({ subject, object, predicate }) => ({
        subject,
        object,
        predicate: numberOf(this.#predicates, predicate),
      })),
    };
  }
}

function withRelations(images: readonly GraphImage[]) {
  const kept = images.filter(({ relations }) => relations.length > 0);
  return { images: kept, withoutRelations: images.length - kept.length };
}
