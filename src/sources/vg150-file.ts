import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { fileNextTo } from '../files/file-next-to.js';
import { fieldsOf, formatJsonValue, idProblem, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { type IntegerTable, readHdf5 } from '../files/read-hdf5.js';
import { readSmallJson } from '../files/read-small-file.js';
import type { Corners } from '../records/corners.js';
import type { Id } from '../records/image.js';
import { isSide } from './image-sizes.js';

/** The files of VG150. */
export interface Vg150Files {
  /** `VG-SGG-with-attri.h5`, or `VG-SGG.h5`. */
  readonly graphs: string;
  /** `VG-SGG-dicts-with-attri.json`, or `VG-SGG-dicts.json`. */
  readonly dicts: string;
  /** `image_data.json` of Visual Genome. */
  readonly imageData: string;
}

/**
 * Returns the files of VG150 that are next to its graphs, under their usual names: the dictionary with attributes or without, and
 * `image_data.json`.
 */
export function vg150FilesOf(graphs: string): Vg150Files {
  const names = ['VG-SGG-dicts-with-attri.json', 'VG-SGG-dicts.json'];
  const dicts = fileNextTo(graphs, ...names) ?? join(dirname(graphs), names[0]!);
  return { graphs, dicts, imageData: join(dirname(graphs), 'image_data.json') };
}

/** The split that an image is in, as the file numbers them: 0 for training and validation, 2 for testing. */
export type Vg150Split = 0 | 2;

/** The graph of an image of VG150. */
export interface Vg150Image {
  readonly id: Id;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  readonly objects: readonly {
    /** Number of the class, from 1. */
    readonly label: number;
    /** Clipped to `[0, width − 1]` and `[0, height − 1]`, as the official loader does. */
    readonly box: Corners;
  }[];
  /** In the order of the file, equal ones too. */
  readonly relations: readonly {
    /** Index in `objects`. */
    readonly subject: number;
    /** Index in `objects`. */
    readonly object: number;
    /** Number of the predicate, from 1. */
    readonly predicate: number;
  }[];
}

/** The images that the official reader leaves out of `image_data.json`, since their files are damaged. */
const corruptImages: ReadonlySet<Id> = new Set([1592, 1722, 4616, 4617]);

/** The length of the longer side of an image in the file's boxes. */
const boxScale = 1024;

/** The data sets of the file. */
interface Tables {
  readonly boxes: IntegerTable;
  readonly labels: IntegerTable;
  readonly relationships: IntegerTable;
  readonly predicates: IntegerTable;
  readonly firstBox: IntegerTable;
  readonly lastBox: IntegerTable;
  readonly firstRelation: IntegerTable;
  readonly lastRelation: IntegerTable;
  readonly split: IntegerTable;
}

/** The images of `image_data.json`. */
interface ImageData {
  readonly ids: readonly Id[];
  readonly widths: readonly number[];
  readonly heights: readonly number[];
}

/**
 * VG150, the 150 classes and 50 predicates of Visual Genome: scene graphs in an HDF5 file with names and image sizes in
 * two others. Files with other numbers of classes are read too. Everything is in memory: 60 MB for the official files.
 *
 * Source: Scene-Graph-Benchmark.pytorch, maskrcnn_benchmark/data/datasets/visual_genome.py, commit 6f75881.
 */
export class Vg150File {
  readonly #file: string;
  readonly #tables: Tables;
  readonly #images: ImageData;
  /** The names of the classes; the label `k` is the one at `k − 1`. */
  readonly objects: readonly string[];
  /** The names of the predicates; the predicate `k` is the one at `k − 1`. */
  readonly predicates: readonly string[];

  private constructor(
    file: string,
    tables: Tables,
    images: ImageData,
    names: { readonly objects: readonly string[]; readonly predicates: readonly string[] },
  ) {
    this.#file = file;
    this.#tables = tables;
    this.#images = images;
    this.objects = names.objects;
    this.predicates = names.predicates;
  }

  /**
   * Reads and checks the files.
   * @throws InputError if a file cannot be read or is not in its form; if the files do not have the same images; if a
   * label, predicate or index is out of range; if a box is empty
   * @throws RelflowError (`missing-package`) when the optional package `h5wasm` is not installed
   */
  static async open({ graphs, dicts, imageData }: Vg150Files, signal?: AbortSignal): Promise<Vg150File> {
    const names = await readVg150Names(dicts);
    const images = await readImageData(imageData, signal);
    const [boxes, labels, relationships, predicates, firstBox, lastBox, firstRelation, lastRelation, split] =
      await readHdf5(graphs, [
        'boxes_1024',
        'labels',
        'relationships',
        'predicates',
        'img_to_first_box',
        'img_to_last_box',
        'img_to_first_rel',
        'img_to_last_rel',
        'split',
      ]);
    const tables = {
      boxes,
      labels,
      relationships,
      predicates,
      firstBox,
      lastBox,
      firstRelation,
      lastRelation,
      split,
    };
    checkTables(graphs, tables, names);
    if (split.rows !== images.ids.length)
      throw new InputError(
        graphs,
        `has ${split.rows} images, but ${imageData} has ${images.ids.length} without the four damaged ones (1592, 1722, 4616, 4617); expected as many`,
      );
    return new Vg150File(graphs, tables, images, names);
  }

  /** The number of images in a split that have boxes, with or without relations. */
  count(split: Vg150Split): number {
    let count = 0;
    for (const image of this.#inSplit(split)) if (this.#tables.firstBox.values[image]! >= 0) count++;
    return count;
  }

  /**
   * Yields the images of a split that have boxes, in the order of the file; images without relations too, which the official
   * loader leaves out of its tests and its training.
   * @throws InputError that names the image, if its boxes or relations are inconsistent
   */
  *images(split: Vg150Split): Generator<Vg150Image, void, void> {
    for (const image of this.#inSplit(split)) {
      const { firstBox } = this.#tables;
      if (firstBox.values[image]! >= 0) yield this.#image(image);
    }
  }

  *#inSplit(split: Vg150Split): Generator<number> {
    for (const [image, written] of this.#tables.split.values.entries()) if (written === split) yield image;
  }

  #image(image: number): Vg150Image {
    const { labels, relationships, predicates, firstBox, lastBox, firstRelation, lastRelation } = this.#tables;
    const [id, width, height] = [this.#images.ids[image]!, this.#images.widths[image]!, this.#images.heights[image]!];
    const [from, to] = this.#range(id, 'box', firstBox.values[image]!, lastBox.values[image]!, labels.rows);
    const objects = Array.from({ length: to - from }, (_, k) => ({
      label: labels.values[from + k]!,
      box: this.#box(from + k, width, height),
    }));
    const [first, end] =
      firstRelation.values[image]! < 0
        ? [0, 0]
        : this.#range(id, 'rel', firstRelation.values[image]!, lastRelation.values[image]!, predicates.rows);
    const relations = Array.from({ length: end - first }, (_, k) => {
      const subject = relationships.values[2 * (first + k)]! - from;
      const object = relationships.values[2 * (first + k) + 1]! - from;
      if (!(subject >= 0 && object >= 0 && subject < objects.length && object < objects.length))
        throw new InputError(
          this.#file,
          `image ${id}: relationship ${first + k} is of the boxes ${subject + from} and ${object + from}, expected boxes of the image, ${from} to ${to - 1}`,
        );
      return { subject, object, predicate: predicates.values[first + k]! };
    });
    return { id, width, height, objects, relations };
  }

  /** Returns the rows of an image as a half-open range. */
  #range(id: Id, kind: 'box' | 'rel', first: number, last: number, rows: number): readonly [number, number] {
    if (first <= last && last < rows) return [first, last + 1];
    const found = `img_to_first_${kind} ${first} and img_to_last_${kind} ${last}`;
    throw new InputError(this.#file, `image ${id} has ${found}, expected an increasing range below ${rows}`);
  }

  /** Returns a box in pixels. The official loader computes its corners in whole numbers, and truncates towards 0. */
  #box(row: number, width: number, height: number): Corners {
    const { values } = this.#tables.boxes;
    const [w, h] = [values[4 * row + 2]!, values[4 * row + 3]!];
    const [x, y] = [Math.trunc(values[4 * row]! - w / 2), Math.trunc(values[4 * row + 1]! - h / 2)];
    const scale = Math.max(width, height);
    const at = (value: number, side: number) => Math.min(Math.max((value / boxScale) * scale, 0), side - 1);
    return [at(x, width), at(y, height), at(x + w, width), at(y + h, height)];
  }
}

function checkTables(
  file: string,
  { boxes, labels, relationships, predicates, firstBox, lastBox, firstRelation, lastRelation, split }: Tables,
  names: { readonly objects: readonly string[]; readonly predicates: readonly string[] },
): void {
  const expectShape = (
    name: string,
    { rows, columns }: IntegerTable,
    expectedRows: number,
    expectedColumns: number,
  ) => {
    if (rows !== expectedRows || columns !== expectedColumns)
      throw new InputError(
        file,
        `'${name}' has ${rows} rows of ${columns} numbers, expected ${expectedRows} rows of ${expectedColumns}`,
      );
  };
  expectShape('boxes_1024', boxes, boxes.rows, 4);
  expectShape('labels', labels, boxes.rows, 1);
  expectShape('relationships', relationships, relationships.rows, 2);
  expectShape('predicates', predicates, relationships.rows, 1);
  expectShape('img_to_first_box', firstBox, split.rows, 1);
  expectShape('img_to_last_box', lastBox, split.rows, 1);
  expectShape('img_to_first_rel', firstRelation, split.rows, 1);
  expectShape('img_to_last_rel', lastRelation, split.rows, 1);
  const expectNumbers = (name: string, { values }: IntegerTable, count: number, what: string) => {
    const wrong = values.findIndex((value) => value < 1 || value > count);
    if (wrong >= 0)
      throw new InputError(
        file,
        `'${name}' has ${values[wrong]} at place ${wrong}, but the dictionary has ${count} ${what}, expected 1 to ${count}`,
      );
  };
  expectNumbers('labels', labels, names.objects.length, 'classes');
  expectNumbers('predicates', predicates, names.predicates.length, 'predicates');
  for (let row = 0; row < boxes.rows; row++) {
    const box = boxes.values.subarray(4 * row, 4 * row + 4);
    if (box[0]! < 0 || box[1]! < 0 || box[2]! <= 0 || box[3]! <= 0)
      throw new InputError(
        file,
        `'boxes_1024' has [${box.join(', ')}] in row ${row}, expected a center from 0 and a width and height above 0`,
      );
  }
  const wrongSplit = split.values.findIndex((value) => value < 0 || value > 2);
  if (wrongSplit >= 0)
    throw new InputError(file, `'split' has ${split.values[wrongSplit]} at place ${wrongSplit}, expected 0 or 2`);
}

/**
 * Reads the names of the classes and predicates, `VG-SGG-dicts-with-attri.json`, in the order of their numbers.
 * @throws InputError if the file is not in this form
 */
export async function readVg150Names(file: string) {
  const { label_to_idx: labels, predicate_to_idx: predicates } = fieldsOf(await readSmallJson(file));
  return {
    objects: namesOf(file, 'label_to_idx', labels),
    predicates: namesOf(file, 'predicate_to_idx', predicates),
  };
}

/** Returns the names of a dictionary `{name: number from 1}` by number. */
function namesOf(file: string, key: string, value: unknown): readonly string[] {
  const entries = Object.entries(fieldsOf(value)).sort(([, a], [, b]) => Number(a) - Number(b));
  if (entries.length === 0)
    throw new InputError(file, `'${key}' is ${formatJsonValue(value)}, expected names with numbers from 1`);
  const wrong = entries.findIndex(([, number], k) => number !== k + 1);
  if (wrong >= 0) {
    const [name, number] = entries[wrong]!;
    throw new InputError(
      file,
      `'${key}' numbers '${name}' ${formatJsonValue(number)}, expected each number from 1 to ${entries.length} once`,
    );
  }
  return entries.map(([name]) => name);
}

async function readImageData(file: string, signal: AbortSignal | undefined): Promise<ImageData> {
  const [ids, widths, heights]: [Id[], number[], number[]] = [[], [], []];
  for await (const { first, values } of streamJson(file, { layout: 'list', ...(signal && { signal }) }))
    for (const [k, value] of values.entries()) {
      const { id: other, image_id: written = other, width, height } = fieldsOf(value);
      const id = readId(written);
      // The entries belong to the images of the graphs by their order, so that none may be left out.
      if (id === undefined) throw new InputError(file, `entry ${first + k}: image_id is ${idProblem(written)}`);
      if (!isSide(width) || !isSide(height))
        throw new InputError(
          file,
          `entry ${first + k}: image ${id} has the size ${formatJsonValue(width)} × ${formatJsonValue(height)}, expected whole numbers of pixels`,
        );
      if (corruptImages.has(id)) continue;
      ids.push(id);
      widths.push(width);
      heights.push(height);
    }
  return { ids, widths, heights };
}
