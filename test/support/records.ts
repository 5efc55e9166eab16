import type {
  Caption,
  Captioned,
  Detection,
  ImageRecord,
  Related,
  SceneGraph,
  Source,
  SourceItem,
} from '../../src/index.js';

/** Detections as `[category, x, y, w, h]`. */
export type Boxes = readonly (readonly [string, number, number, number, number])[];

/** Makes an image record with the given detections. */
export function imageRecord(id: number, detections: Boxes = []): ImageRecord {
  return {
    image: { id, file: `${id}.jpg`, width: 640, height: 480, dataset: 'test', split: 'train' },
    detections: detections.map(([category, ...box], index): Detection => ({ id: index + 1, category, box })),
    origin: { source: 'memory', file: 'memory.json' },
  };
}

/** Makes an image record with detections and captions. */
export function captionedRecord(boxes: Boxes, ...texts: string[]): ImageRecord & Captioned {
  return { ...imageRecord(1, boxes), captions: texts.map((text) => ({ text, source: 'test' })) };
}

/**
 * Makes a ground-truth record: objects by category, each in a box of its own, and relations as `[subject, predicate,
 * object]`.
 */
export function relatedRecord(
  categories: readonly string[],
  relations: readonly (readonly [number, string, number])[],
): ImageRecord & Related {
  return {
    ...imageRecord(
      1,
      categories.map((category, index) => [category, 10 * index, 0, 10, 10] as const),
    ),
    relations: relations.map(([subject, predicate, object]) => ({ subject, object, predicate })),
    tagger: null,
  };
}

/** Makes a small valid scene graph. */
export function sceneGraph(id = 1): SceneGraph {
  const { image, detections, origin } = imageRecord(id, [
    ['person', 10, 10, 50, 100],
    ['horse', 20, 60, 120, 90],
  ]);
  const captions: Caption[] = [{ text: 'a man riding a horse', source: 'captions.json' }];
  return {
    format: 'relflow.scene-graph/1',
    image,
    objects: [...detections],
    captions,
    relations: [{ subject: 0, object: 1, predicate: 'riding', confidence: 0.9, captions: [0] }],
    provenance: { origin, operators: [{ name: 'pair', version: '1', options: '0123456789ab' }], tagger: null },
  };
}

/** Makes a source of the given items. */
export function memorySource<R extends object>(
  items: readonly SourceItem<R>[],
  adds: readonly string[] = ['image', 'detections', 'origin'],
): Source<R> & { reads: number } {
  const source = {
    name: 'memory',
    version: '1',
    options: {},
    adds,
    reads: 0,
    files: async () => [],
    async *read() {
      for (const item of items) {
        source.reads++;
        yield item;
      }
    },
  };
  return source;
}

/** Makes `count` images with ids from 1, as items of a source. */
export function images(count: number, first = 1): SourceItem<ImageRecord>[] {
  return Array.from({ length: count }, (_, index) => ({ record: imageRecord(first + index) }));
}

/** Collects all values of an async iterable. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
