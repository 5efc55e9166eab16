import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ImageRecord } from '../../src/records/image.js';
import type { Source, SourceItem } from '../../src/records/ports.js';
import { coco } from '../../src/sources/coco.js';
import { objects365 } from '../../src/sources/objects365.js';
import { pseudoAnnotations } from '../../src/sources/pseudo-annotations.js';
import { sceneGraphLines } from '../../src/sources/scene-graph-lines.js';
import { visualGenome } from '../../src/sources/visual-genome.js';
import { encodeText, mutateJson, pick, writeJson } from './mutate.js';
import type { Files, FuzzedReader } from './reader.js';

const box = [1, 2, 30, 40];
const image = { id: 1, file_name: 'a/1.jpg', width: 640, height: 480 };
const instances = {
  info: { description: 'x' },
  images: [
    image,
    { id: 7, file_name: '000000000007.jpg', width: 20, height: 10 },
    { ...image, id: '9', file_name: '9.png' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: box, iscrowd: 0, segmentation: [[1, 2, 3, 4, 5, 6]] },
    { id: 2, image_id: 1, category_id: 2, bbox: box, score: 0.5 },
    {
      id: 3,
      image_id: 7,
      category_id: 1,
      iscrowd: 1,
      bbox: box,
      segmentation: { counts: [1, 2, 197], size: [10, 20] },
    },
    { id: 4, image_id: 7, category_id: 1, bbox: null, segmentation: [[1, 1, 5, 1, 5, 5]] },
    { id: 5, image_id: 8, category_id: 1, bbox: [0.1, 0.1, 0.2, 0.2] },
    { id: 6, image_id: '9', category_id: 1, bbox: ['1', '2', '3', '4'] },
  ],
  categories: [
    { id: 1, name: 'person', supercategory: 'x' },
    { id: 2, name: 'riding-hat' },
  ],
};

/** Reads a source to its end; it must remove its temporary files. */
export async function itemsOf<R>(source: Source<R>, folder: string): Promise<SourceItem<R>[]> {
  const items: SourceItem<R>[] = [];
  const tempDir = join(folder, 'temporary');
  const signal = new AbortController().signal;
  for await (const item of source.read({ signal, tempDir, progress: () => {} })) items.push(item);
  assert.deepEqual(namesOf(tempDir), [], 'a temporary file is left');
  return items;
}

function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Parses a file by other means than the readers do; undefined if that fails. */
export function parseWhole(bytes: Buffer): unknown {
  try {
    const content = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
    const isUtf16 = (content[0] === 0xff && content[1] === 0xfe) || content[1] === 0;
    const text = new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true }).decode(content);
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const lengthOf = (value: unknown, key: string) => {
  const list = (value as Record<string, unknown> | undefined)?.[key];
  return Array.isArray(list) ? list.length : 0;
};

const annotationCounts = [
  'crowd',
  'undefined-category',
  'zero-area',
  'outside-image',
  'duplicate-box',
  'malformed-box',
  'refused-image-annotation',
  'unknown-image-annotation',
];
const elementRejects = [
  'malformed-annotation',
  'malformed-box',
  'unknown-image',
  'malformed-category',
  'duplicate-category',
];

function checkCoco(items: readonly SourceItem<ImageRecord>[], file: Buffer): void {
  const content = parseWhole(file);
  if (content === undefined) return;
  let images = 0;
  let annotations = 0;
  for (const { record, rejects = [], counts = {} } of items) {
    if (record) images++;
    annotations += record?.detections.length ?? 0;
    for (const name of annotationCounts) annotations += counts[name] ?? 0;
    for (const { reason } of rejects) {
      if (reason === 'malformed-annotation') annotations++;
      else if (!elementRejects.includes(reason)) images++;
    }
  }
  assert.equal(images, lengthOf(content, 'images'), 'images read and rejected');
  assert.equal(annotations, lengthOf(content, 'annotations'), 'annotations read, dropped and rejected');
}

const cocoReader = (name: string, source: (annotations: string) => Source<ImageRecord>): FuzzedReader => ({
  name,
  make: (random) => {
    const changed = mutateJson(random, instances);
    const entries = Object.entries(changed ?? {});
    const ordered = entries.length > 0 && random.next() < 0.2 ? Object.fromEntries(random.shuffle(entries)) : changed;
    return { 'instances.json': writeJson(random, ordered) };
  },
  read: async (folder, files) =>
    checkCoco(await itemsOf(source(join(folder, 'instances.json')), folder), files['instances.json']!),
});

/** Checks that each entry of a list is read or rejected as an image. */
export function checkEntries(items: readonly SourceItem<unknown>[], content: unknown): void {
  if (!Array.isArray(content)) return;
  const images = items.filter(({ record, rejects = [] }) => record || rejects.length > 0).length;
  assert.equal(images, content.length, 'entries read and rejected');
}

const object = { object_id: 1, names: ['man'], x: 1, y: 2, w: 30, h: 40, merged_object_ids: [5] };
const other = { object_id: 2, name: 'horse', x: 5, y: 6, w: 70, h: 80 };
const genome = {
  'scene_graphs.json': [
    { image_id: 1, objects: [object, other], relationships: [{ predicate: 'rides', subject_id: 1, object_id: 2 }] },
    { image_id: 2, objects: [other], relationships: [{ predicate: 'on', subject: object, object: other }] },
  ],
  'image_data.json': [
    { image_id: 1, width: 640, height: 480, url: 'https://x/VG_100K/1.jpg' },
    { image_id: 2, width: 100, height: 200 },
  ],
};

const graphLine = {
  image: { id: 1, file: '1.jpg', width: 640, height: 480, dataset: 'coco', split: 'val' },
  objects: [
    { id: 1, category: 'man', box },
    { id: 2, category: 'horse', box: [5, 6, 70, 80] },
  ],
  captions: [{ text: 'a man rides a horse', source: 'x.json' }],
  relations: [{ subject: 0, object: 1, predicate: 'rides', confidence: 1, captions: [0] }],
  provenance: { origin: { source: 'coco', file: 'x.json' }, tagger: { name: 'x', version: '1' }, relflow: '0.1.0' },
};

/** The readers of detections and graphs. */
export const sourceReaders: readonly FuzzedReader[] = [
  cocoReader('coco', (annotations) => coco({ annotations })),
  cocoReader('objects365', (annotations) => objects365({ annotations })),
  {
    name: 'visual-genome',
    make: (random) => {
      const changed = pick(random, Object.keys(genome));
      const written = Object.entries(genome).map(([name, value]): [string, Buffer] => [
        name,
        name === changed ? writeJson(random, mutateJson(random, value)) : Buffer.from(JSON.stringify(value)),
      ]);
      return Object.fromEntries(written);
    },
    read: async (folder, files) => {
      const [graphs, imageData] = Object.keys(genome).map((name) => join(folder, name)) as [string, string];
      const items = await itemsOf(visualGenome({ sceneGraphs: graphs, imageData }), folder);
      const content = parseWhole(files['scene_graphs.json']!);
      checkEntries(items, content);
    },
  },
  {
    name: 'pseudo-annotations',
    make: (random) => {
      const value = [
        { ...image, image_id: 1, annotations: [{ bbox: box, category: 'man' }], relations: [] },
        { image_id: 2, file_name: '2.jpg', width: 9, height: 9, boxes: [box], labels: ['man'], pairs: [[0, 0]] },
      ];
      return { 'annotations.json': writeJson(random, mutateJson(random, value)) };
    },
    read: async (folder, files) => {
      const items = await itemsOf(
        pseudoAnnotations({ annotations: join(folder, 'annotations.json'), images: folder }),
        folder,
      );
      checkEntries(items, parseWhole(files['annotations.json']!));
    },
  },
  {
    name: 'scene-graph-lines',
    make: (random) => {
      const lines = Array.from({ length: 3 }, () => JSON.stringify(mutateJson(random, graphLine)) ?? '');
      return { 'graphs.jsonl': encodeText(random, `${lines.join('\n')}\n`) };
    },
    read: async (folder, files) => {
      const items = await itemsOf(sceneGraphLines({ sceneGraphs: join(folder, 'graphs.jsonl') }), folder);
      const found = items.reduce((sum, { record, rejects = [] }) => sum + (record ? 1 : 0) + rejects.length, 0);
      assert.equal(found, linesOf(files['graphs.jsonl']!) ?? found, 'lines read and rejected');
    },
  },
];

/** Returns the number of lines that are not blank; undefined if they are not plain UTF-8. */
export function linesOf(bytes: Buffer): number | undefined {
  if ((bytes[0] === 0x1f && bytes[1] === 0x8b) || bytes[0] === 0xff || bytes.subarray(0, 2).includes(0))
    return undefined;
  return bytes
    .toString()
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => line.trim() !== '').length;
}

export type { Files };
