import { InputError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { isBox } from './box-forms.js';
import { isSide } from './image-sizes.js';
import type { AnnotatedImage } from './related-record.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';

/** Options of `gqa`. */
export interface GqaOptions extends RelatedSourceOptions {
  /** Path or glob of `train_sceneGraphs.json` or `val_sceneGraphs.json`, gzip or not. */
  readonly annotations: string;
}

/**
 * Reads the scene graphs of GQA, which are cleaned graphs of Visual Genome. Equal relations and all predicates of a pair are
 * kept, such as `to the left of` next to `near`; attributes are not read. The file of an image is `<id>.jpg` below `images`.
 *
 * Rejects: `duplicate-image`, `image-missing`. Relations are dropped as `unknown-object` (its id is not in the image) and
 * `relation-of-dropped-box`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://cs.stanford.edu/people/dorarad/gqa/download.html
 *
 * @example
 * ```ts
 * import { Graph, gqa, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('gqa');
 * graph.from(gqa({ annotations: 'val_sceneGraphs.json' })).to(sceneGraphs());
 * ```
 */
export function gqa(options: GqaOptions): Source<ImageRecord & Related> {
  return relatedSource(gqaFiles(options), options);
}

/** Returns what `gqa` reads, see there. */
export function gqaFiles(options: GqaOptions): RelatedSourceFiles {
  return {
    name: 'gqa',
    annotations: options.annotations,
    dataset: 'gqa',
    listsCategories: false,
    async *read(file, { signal }) {
      const split = /(?:^|[/\\])(train|val)_[^/\\]*$/.exec(file)?.[1] ?? '';
      for await (const { keys, values } of streamJson(file, { layout: 'map', signal }))
        for (const [k, value] of values.entries()) yield readGraph(file, keys[k]!, value, split);
    },
  };
}

function readGraph(file: string, key: string, value: unknown, split: string): AnnotatedImage {
  const { width, height, objects: written } = fieldsOf(value);
  if (!isSide(width) || !isSide(height))
    throw new InputError(
      file,
      `image ${key} has the size ${formatJsonValue(width)} × ${formatJsonValue(height)}, expected whole numbers of pixels`,
    );
  const entries = Object.entries(fieldsOf(written));
  const indices = new Map(entries.map(([id], index) => [id, index]));
  const objects = entries.map(([id, object]) => {
    const { name, x, y, w, h } = fieldsOf(object);
    const box = [x, y, w, h];
    if (typeof name !== 'string' || name === '' || !isBox(box))
      throw new InputError(
        file,
        `image ${key}: object ${id} is ${formatJsonValue(object)}, expected a name and numbers x, y, w and h`,
      );
    return { id: readId(id) ?? id, category: name, box };
  });
  let unknown = 0;
  const relations = entries.flatMap(([, object], subject) =>
    elementsOf(fieldsOf(object)['relations']).flatMap((relation) => {
      const { name, object: target } = fieldsOf(relation);
      const index = indices.get(String(target));
      if (index !== undefined && typeof name === 'string' && name !== '')
        return { subject, object: index, predicate: name };
      unknown++;
      return [];
    }),
  );
  return {
    id: readId(key) ?? key,
    fileName: `${key}.jpg`,
    size: { width, height },
    split,
    objects,
    relations,
    ...(unknown > 0 && { counts: { 'unknown-object': unknown } }),
  };
}
