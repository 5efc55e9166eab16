import { loadHdf5 } from '../../files/load-hdf5.js';
import type { Box } from '../../records/box.js';
import type { Image } from '../../records/image.js';
import type { ExportFormat } from './export-format.js';
import { imageNumbers } from './image-numbers.js';
import { JsonList } from './json-list.js';
import { nameNumbers } from './name-numbers.js';
import { pairRelations } from './pair-relations.js';
import { isTestImage } from './split.js';

/** The length of the longer side of an image in the file's boxes. */
const BOX_SCALE = 1024;

/** Numbers of attributes of an object in the file; relflow has none, and the reader wants the table. */
const ATTRIBUTES = 10;

/** Images that readers of VG150 leave out of `image_data.json`, since their files in Visual Genome are damaged. */
const SKIPPED_IMAGES: ReadonlySet<number> = new Set([1592, 1722, 4616, 4617]);

/**
 * The three files of VG150: graphs in HDF5, names, and image sizes. Boxes are whole numbers at a longer side of 1024, as centers
 * and sides; the images of `test` have the split 2, all others 0. All tables are in memory.
 *
 * Source: Scene-Graph-Benchmark.pytorch, maskrcnn_benchmark/data/datasets/visual_genome.py.
 */
export const vg150: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'vg150',
  summary: "VG150's HDF5 file, dictionaries and image data (needs the package h5wasm)",
  write: async (input, output) => {
    const hdf5 = await loadHdf5('export: the format vg150');
    const contents = await input.contents();
    const labels = nameNumbers(contents.categories.keys(), 1);
    const predicates = nameNumbers(contents.predicates.keys(), 1);
    const numberOf = imageNumbers(contents, input.note);
    const tables = {
      boxes: [] as number[],
      labels: [] as number[],
      relationships: [] as number[],
      predicates: [] as number[],
      split: [] as number[],
      firstBox: [] as number[],
      lastBox: [] as number[],
      firstRelation: [] as number[],
      lastRelation: [] as number[],
    };
    const imageData = await JsonList.create(output, 'image_data.json');
    for await (const { graph, split } of input.graphs()) {
      const { image, objects } = graph;
      const number = numberOf(image);
      if (SKIPPED_IMAGES.has(number)) {
        input.note('image-skipped-by-readers', String(number));
        continue;
      }
      if (!image.file.endsWith(`${number}.jpg`)) input.note('file-name-lost', image.file);
      const firstBox = tables.labels.length;
      const firstRelation = tables.predicates.length;
      for (const { category, box } of objects) {
        tables.boxes.push(...scaled(box, image));
        tables.labels.push(labels.get(category) as number);
      }
      for (const { subject, object, predicate } of pairRelations(graph.relations, input.note)) {
        tables.relationships.push(firstBox + subject, firstBox + object);
        tables.predicates.push(predicates.get(predicate) as number);
      }
      tables.split.push(isTestImage(split, image) ? 2 : 0);
      const ranges = [
        ['firstBox', 'lastBox', firstBox, tables.labels.length],
        ['firstRelation', 'lastRelation', firstRelation, tables.predicates.length],
      ] as const;
      for (const [first, last, from, end] of ranges) {
        tables[first].push(end > from ? from : -1);
        tables[last].push(end > from ? end - 1 : -1);
      }
      await imageData.add({ image_id: number, width: image.width, height: image.height, file_name: image.file });
    }
    await imageData.close();
    await output.write('VG-SGG-dicts-with-attri.json', [
      `${JSON.stringify(dictionaries(labels, predicates, contents))}\n`,
    ]);

    const name = 'VG-SGG-with-attri.h5';
    const path = await output.reserve(name);
    atFixedTime(() => {
      const file = new hdf5.File(path, 'w');
      const add = (name: string, values: readonly number[], columns: number) =>
        file.create_dataset({
          name,
          data: Int32Array.from(values),
          shape: columns === 0 ? [values.length] : [values.length / columns, columns],
          dtype: '<i4',
        });
      add('boxes_1024', tables.boxes, 4);
      const halves = tables.boxes.map((value) => Math.max(1, Math.round(value / 2)));
      add('boxes_512', halves, 4);
      add('labels', tables.labels, 1);
      add('attributes', new Array(tables.labels.length * ATTRIBUTES).fill(0), ATTRIBUTES);
      add('predicates', tables.predicates, 1);
      add('relationships', tables.relationships, 2);
      add('split', tables.split, 0);
      add('img_to_first_box', tables.firstBox, 0);
      add('img_to_last_box', tables.lastBox, 0);
      add('img_to_first_rel', tables.firstRelation, 0);
      add('img_to_last_rel', tables.lastRelation, 0);
      file.close();
    });
    await output.add(name);
  },
};

/**
 * Runs synchronous work while the clock stands at 0: HDF5 writes the time into the file, and cannot be asked here not to, but the
 * same graphs are to give the same bytes.
 */
function atFixedTime(work: () => void): void {
  const { now } = Date;
  Date.now = () => 0;
  try {
    work();
  } finally {
    Date.now = now;
  }
}

/**
 * Returns a box as center and sides in whole numbers, clipped to `width - 1` and `height - 1` as readers do, so that they find
 * the same corners.
 */
function scaled([x, y, w, h]: Box, { width, height }: Image): number[] {
  const scale = BOX_SCALE / Math.max(width, height);
  const span = (from: number, to: number, side: number): readonly [center: number, length: number] => {
    const start = Math.round(from * scale);
    const length = Math.max(1, Math.round(Math.min(to, side - 1) * scale) - start);
    return [start + Math.ceil(length / 2), length];
  };
  const [horizontal, vertical] = [span(x, x + w, width), span(y, y + h, height)];
  return [horizontal[0], vertical[0], horizontal[1], vertical[1]];
}

function dictionaries(
  labels: ReadonlyMap<string, number>,
  predicates: ReadonlyMap<string, number>,
  contents: { readonly categories: ReadonlyMap<string, number>; readonly predicates: ReadonlyMap<string, number> },
) {
  const names = (numbers: ReadonlyMap<string, number>) =>
    Object.fromEntries([...numbers].map(([name, k]) => [k, name]));
  return {
    label_to_idx: Object.fromEntries(labels),
    idx_to_label: names(labels),
    predicate_to_idx: Object.fromEntries(predicates),
    idx_to_predicate: names(predicates),
    object_count: Object.fromEntries(contents.categories),
    predicate_count: Object.fromEntries(contents.predicates),
    attribute_to_idx: {},
    idx_to_attribute: {},
    attribute_count: {},
  };
}
