import { InputError } from '../errors.js';
import { fieldsOf, formatJsonValue, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { GroupSpool, spoolPayloadLength } from '../files/spools/group-spool.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Id, ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { isBox } from './box-forms.js';
import { isSide } from './image-sizes.js';
import type { AnnotatedImage } from './related-record.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';

/** Options of `cocoRelations`. */
export interface CocoRelationsOptions extends RelatedSourceOptions {
  /** Path or glob of JSON files with `rel_annotations`, gzip or not. */
  readonly annotations: string;
}

/**
 * Reads COCO's detections with relations, as SGG-Benchmark and `relflow export --format coco` write them: `rel_annotations` refer
 * to annotations by `subject_id` and `object_id`, and to `rel_categories` by `predicate_id`. A relation with a `score` keeps it
 * as its confidence. Lists and their elements may be in any order; memory does not grow with them.
 *
 * Rejects: `unknown-image` (annotations of an image that `images` lacks), `duplicate-image`, `image-missing`, `unsafe-path`.
 * Dropped and counted: `malformed-annotation`, `malformed-relation`, `unknown-object` (a relation of an annotation that its
 * image lacks), `undefined-predicate`, `relation-of-dropped-box`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: SGG-Benchmark, docs/ANNOTATIONS.md
 *
 * @example
 * ```ts
 * import { cocoRelations, Graph, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('coco-relations');
 * graph.from(cocoRelations({ annotations: 'relations.json' })).to(sceneGraphs());
 * ```
 */
export function cocoRelations(options: CocoRelationsOptions): Source<ImageRecord & Related> {
  return relatedSource(cocoRelationsFiles(options), options);
}

/** Returns what `cocoRelations` reads, see there. */
function cocoRelationsFiles({ annotations }: CocoRelationsOptions): RelatedSourceFiles {
  return {
    name: 'coco-relations',
    annotations,
    dataset: 'coco-relations',
    read: imagesOf,
  };
}

const lists = ['images', 'annotations', 'rel_annotations'] as const;
type List = (typeof lists)[number];

async function* imagesOf(file: string, context: SourceContext): AsyncGenerator<AnnotatedImage, void, void> {
  const { signal, tempDir } = context;
  const categories = await namesById(file, 'categories', signal);
  const predicates = await namesById(file, 'rel_categories', signal);
  const images = new IdIndex();
  const ids: Id[] = [];
  const spool = new GroupSpool({ tempDir });
  let withoutImage = 0;
  try {
    for await (const { section, values } of streamJson(file, {
      layout: lists,
      skippedKeys: ['segmentation'],
      signal,
    })) {
      const list = lists.indexOf(section as List);
      for (const value of values) {
        const fields = fieldsOf(value);
        const id = readId(section === 'images' ? fields['id'] : fields['image_id']);
        if (id === undefined) {
          withoutImage++;
          continue;
        }
        let group = images.get(id);
        if (group === undefined) {
          group = images.add(id) as number;
          ids.push(id);
        }
        spool.append(group, Buffer.from(JSON.stringify([list, value])));
      }
      await spool.flush();
    }
    for await (const { number, view, starts } of spool.groups()) {
      const parts: [unknown[], unknown[], unknown[]] = [[], [], []];
      for (const start of starts) {
        const length = spoolPayloadLength(view, start);
        const text = Buffer.from(view.buffer, view.byteOffset + start, length).toString('utf8');
        const [list, value] = JSON.parse(text) as [number, unknown];
        parts[list]?.push(value);
      }
      yield imageOf(ids[number] as Id, parts, categories, predicates, number === 0 ? withoutImage : 0);
    }
  } finally {
    await spool.close();
  }
}

function imageOf(
  id: Id,
  [images, annotations, relations]: readonly [unknown[], unknown[], unknown[]],
  categories: ReadonlyMap<Id, string>,
  predicates: ReadonlyMap<Id, string>,
  withoutImage: number,
): AnnotatedImage {
  const counts: Record<string, number> = {};
  const count = (name: string, by = 1) => {
    if (by > 0) counts[name] = (counts[name] ?? 0) + by;
  };
  count('malformed-annotation', withoutImage);
  const { file_name: name, width, height } = fieldsOf(images[0]);
  const places = new Map<Id, number>();
  const objects: AnnotatedImage['objects'][number][] = [];
  for (const annotation of annotations) {
    const fields = fieldsOf(annotation);
    const own = readId(fields['id']);
    const category = readId(fields['category_id']);
    const box = fields['bbox'];
    if (own === undefined || category === undefined || !isBox(box) || places.has(own)) {
      count('malformed-annotation');
      continue;
    }
    places.set(own, objects.length);
    objects.push({ id: own, category: categories.get(category) ?? null, box, ...scoreOf('score', fields['score']) });
  }
  const kept: AnnotatedImage['relations'][number][] = [];
  for (const relation of relations) {
    const fields = fieldsOf(relation);
    const ids = ['subject_id', 'object_id', 'predicate_id'].map((key) => readId(fields[key]));
    const [from, to, predicate] = ids;
    if (from === undefined || to === undefined || predicate === undefined) {
      count('malformed-relation');
      continue;
    }
    const [subject, object] = [places.get(from), places.get(to)];
    if (subject === undefined || object === undefined) count('unknown-object');
    else
      kept.push({
        subject,
        object,
        predicate: predicates.get(predicate) ?? null,
        ...scoreOf('confidence', fields['score']),
      });
  }
  const isKnown = images.length > 0;
  return {
    id,
    fileName: typeof name === 'string' ? name : '',
    size: isSide(width) && isSide(height) ? { width, height } : null,
    split: '',
    objects,
    relations: kept,
    categories: [...categories.values()],
    counts,
    ...(!isKnown && { refused: { reason: 'unknown-image', problem: "has annotations, but is not in 'images'" } }),
  };
}

/** Returns a score as a field of a name; nothing if it is not a number in [0, 1]. */
function scoreOf<N extends string>(name: N, value: unknown): { readonly [K in N]?: number } {
  const isScore = typeof value === 'number' && value >= 0 && value <= 1;
  return (isScore ? { [name]: value } : {}) as { readonly [K in N]?: number };
}

async function namesById(file: string, section: string, signal: AbortSignal): Promise<ReadonlyMap<Id, string>> {
  const names = new Map<Id, string>();
  for await (const { values } of streamJson(file, { layout: [section], signal }))
    for (const value of values) {
      const { id: written, name } = fieldsOf(value);
      const id = readId(written);
      if (id === undefined || typeof name !== 'string' || name === '' || names.has(id))
        throw new InputError(file, `'${section}' has ${formatJsonValue(value)}, expected an id of its own and a name`);
      names.set(id, name);
    }
  return names;
}
