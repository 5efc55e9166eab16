import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, RecordError } from '../../errors.js';
import { csvLine } from '../../files/csv-line.js';
import { encodeJpeg } from '../../files/encode-jpeg.js';
import { checkImageFolder } from '../../files/image-folder.js';
import { readImagePart } from '../../files/image-part.js';
import { findImageFile, type ImageSource } from '../../files/image-stores/find-image-file.js';
import { makeFolder } from '../../files/make-folder.js';
import { wrapFileErrors } from '../../files/wrap-io-errors.js';
import { writeAtomically } from '../../files/write-atomically.js';
import { imageLot } from '../../records/image-lot.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { RelationJudgment } from '../../records/relation-judgment.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import { checkOutputFile } from '../../run-folder/check-output-file.js';
import type { RunFolder } from '../../run-folder/run-folder.js';
import { drawSheet, PANELS, type Panel, partAround } from './draw-sheet.js';
import { JUDGMENT_COLUMNS } from './relation-judgments.js';

/** Options of `sampleRelations`. */
export interface SampleRelationsOptions {
  /** The image folder. */
  readonly images: string;
  /** Folder to write; it must not have the files of an earlier sample. */
  readonly out: string;
  /** Number of images. Default 40. */
  readonly count?: number;
  /** Seed of the choice; another seed takes other images. Default 1. */
  readonly seed?: number;
  /** Maximum number of relations per image, those drawn by the seed. Default 20. */
  readonly perImage?: number;
}

/** What `sampleRelations` has written. */
export interface RelationSample {
  readonly images: number;
  readonly imagesWithoutRelation: number;
  /** Number of relations on the sheets. */
  readonly relations: number;
  /** Number of relations of these images beyond `perImage`, which are not on the sheets. */
  readonly left: number;
  /** Number of relations of these images that have no object, which are not on the sheets either. */
  readonly withoutObject: number;
  /** Messages about images that cannot be read; their relations are drawn on gray. */
  readonly unreadable: readonly string[];
  /** The file to fill in. */
  readonly file: string;
  readonly sheets: number;
}

/** Name of the file to fill in. */
const FILE = 'relations.csv';

/**
 * Writes a sample of a run for judging by eye: sheets of numbered pictures, each with the two boxes of a relation, and
 * `relations.csv` with a row for each, whose columns `match`, `triplet` and `pair` a person fills in with `yes`, `no` or `?`. The
 * choice depends only on the seed, the data set and the image ids, so that two runs are judged on the same images.
 *
 * @throws OptionError when an option is out of range
 * @throws InputError when the folder has no scene graphs or there is no such image folder
 * @throws OutputError when the output exists or cannot be written
 *
 * @example
 * ```ts
 * import { RunFolder } from 'relflow';
 * import { sampleRelations } from 'relflow/evaluation';
 *
 * const { relations, file } = await sampleRelations(new RunFolder('out'), { images: 'train2017', out: 'sheet', seed: 1 });
 * console.log(`${relations} rows to fill in: ${file}`);
 * ```
 */
export async function sampleRelations(
  folder: RunFolder,
  { images, out, count = 40, seed = 1, perImage = 20 }: SampleRelationsOptions,
): Promise<RelationSample> {
  checkPositiveInteger('sample', 'count', count);
  checkPositiveInteger('sample', 'perImage', perImage);
  await checkImageFolder(images);
  if (!(await folder.state())) throw new InputError(folder.path, 'not the output folder of a run');
  const file = join(out, FILE);
  await checkOutputFile(file, false);
  const graphs = await drawGraphs(folder, count, seed);
  if (graphs.length === 0) throw new InputError(folder.path, 'the run has no scene graphs');
  await wrapFileErrors(out, () => makeFolder(out));
  const rows: RelationJudgment[] = [];
  const unreadable = new Set<string>();
  let [left, withoutObject, sheets] = [0, 0, 0];
  let panels: Panel[] = [];
  const writeSheet = async () => {
    const sheet = drawSheet(panels);
    const path = join(out, `sheet-${String(++sheets).padStart(3, '0')}.jpg`);
    await checkOutputFile(path, false);
    await wrapFileErrors(path, async () => writeFile(path, await encodeJpeg(sheet.data, sheet)));
    panels = [];
  };
  for (const graph of graphs) {
    if (graph.relations.length === 0) continue;
    const pairs = graph.relations.flatMap(({ object, ...rest }) => (object === null ? [] : { ...rest, object }));
    const drawn = drawRelations(graph, pairs, perImage, seed);
    withoutObject += graph.relations.length - pairs.length;
    left += pairs.length - drawn.length;
    const path = await pathOf(graph, images, unreadable);
    for (const relation of drawn) {
      const row = judgmentRow(graph, relation, rows.length + 1);
      rows.push(row);
      panels.push(await panelOf(graph, relation, row, path, unreadable));
      if (panels.length === PANELS) await writeSheet();
    }
  }
  if (panels.length > 0) await writeSheet();
  await writeAtomically(file, judgmentLines(rows));
  return {
    images: graphs.length,
    imagesWithoutRelation: graphs.filter(({ relations }) => relations.length === 0).length,
    relations: rows.length,
    left,
    withoutObject,
    unreadable: [...unreadable],
    file,
    sheets,
  };
}

/** Draws images by lot; they stay in the order of the run. */
async function drawGraphs(folder: RunFolder, count: number, seed: number): Promise<SceneGraph[]> {
  const drawn: { graph: SceneGraph; lot: number; place: number }[] = [];
  let place = 0;
  for await (const graph of folder.lines('scene-graphs', 'scene-graph')) {
    const lot = imageLot(seed, graph.image);
    place++;
    if (drawn.length === count && lot >= drawn.at(-1)!.lot) continue;
    let at = drawn.length;
    while (at > 0 && drawn[at - 1]!.lot > lot) at--;
    drawn.splice(at, 0, { graph, lot, place });
    if (drawn.length > count) drawn.pop();
  }
  return drawn.sort((a, b) => a.place - b.place).map(({ graph }) => graph);
}

type Relation = SceneGraph['relations'][number] & { readonly object: number };

function drawRelations(
  { image }: SceneGraph,
  relations: readonly Relation[],
  perImage: number,
  seed: number,
): readonly Relation[] {
  if (relations.length <= perImage) return relations;
  const lots = relations.map((relation, place) => ({
    relation,
    place,
    lot: imageLot(seed, { dataset: `${image.dataset}\n${image.id}`, id: place }),
  }));
  const drawn = lots.sort((a, b) => a.lot - b.lot).slice(0, perImage);
  return drawn.sort((a, b) => a.place - b.place).map(({ relation }) => relation);
}

async function pathOf({ image }: SceneGraph, folder: string, unreadable: Set<string>): Promise<ImageSource | null> {
  try {
    return await findImageFile(folder, image.file);
  } catch (error) {
    return refused(error, unreadable);
  }
}

/** Notes why an image is not shown. */
function refused(error: unknown, unreadable: Set<string>): null {
  if (!(error instanceof RecordError)) throw error;
  unreadable.add(error.message);
  return null;
}

/** Returns the row of a relation with an object, without a judgment. */
export function judgmentRow({ image, objects }: SceneGraph, relation: Relation, number: number): RelationJudgment {
  const { subject, object, predicate, confidence, source } = relation;
  const [s, o] = [objects[subject]!.category, objects[object]!.category];
  const countOf = (name: string) => objects.filter(({ category }) => category === name).length;
  return {
    relation: number,
    image: image.file,
    subject: s,
    predicate,
    object: o,
    ...(confidence !== undefined && { confidence }),
    source: source ?? (confidence === undefined ? 'people' : 'caption'),
    subjects: countOf(s),
    objects: countOf(o),
  };
}

async function panelOf(
  { image, objects }: SceneGraph,
  relation: Relation,
  { relation: number, subject, predicate, object }: RelationJudgment,
  path: ImageSource | null,
  unreadable: Set<string>,
): Promise<Panel> {
  const [s, o] = [objects[relation.subject]!.box, objects[relation.object]!.box];
  const part = partAround(image, s, o);
  const pixels =
    path === null ? null : await readImagePart(path, image, part).catch((error: unknown) => refused(error, unreadable));
  return { title: `${number}: ${subject} ${predicate} ${object}`, part, pixels, subject: s, object: o };
}

/** Formats rows as the lines of a CSV file, after its header. */
export function judgmentLines(rows: readonly RelationJudgment[]): string[] {
  return [csvLine(JUDGMENT_COLUMNS), ...rows.map((row) => csvLine(JUDGMENT_COLUMNS.map((name) => row[name])))];
}
