import { OptionError, RecordError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { ImageEntryIndex, type ReadEntries } from '../files/spools/image-entry-index.js';
import type { Id } from '../records/image.js';
import type { ParsedGraphs } from '../records/ports.js';
import type { Entity, TextGraph, TextRelation } from '../records/text-graph.js';

/** Options of `parsedGraphFile`. */
export interface ParsedGraphFileOptions {
  /** Path or glob of JSON files, optionally gzipped; several files are merged in the order of their names. */
  readonly graphs: string;
  /** Folder for the temporary file that holds the graphs; default: the system's folder for temporary files. */
  readonly tempDir?: string;
}

const name = 'parsed-graph-file';

/**
 * Reads graphs as the rule-based parser of RLIPv2 writes them: `{"<image>": [graph, …]}`, one graph per caption, where an
 * image is named by any key that `captionFile` accepts. The file
 * does not contain the captions: an entity's `span` is the only part of the text that is known, and its `start` and `end` are
 * 0 and the span's length. Spans keep their determiner; predicates stay as written.
 *
 * The files are read once, on the first call of `graphs`, into a temporary file, so that memory holds only an index. `close`
 * deletes the temporary file.
 *
 * `graphs` throws a RecordError `no-graphs` when the files lack the image or `malformed-graph` when a graph is malformed, and
 * an InputError when a file cannot be read.
 *
 * Source: SceneGraphParser (vacancy/SceneGraphParser), its output; RLIPv2, datasets/rlipv2_helper/coco_caption_helper.py.
 *
 * @throws OptionError when `graphs` is empty
 *
 * @example
 * ```ts
 * import { coco, Graph, parsed, parsedGraphFile } from 'relflow';
 *
 * new Graph('parsed')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(parsed(parsedGraphFile({ graphs: 'parsed.json' })));
 * ```
 */
export function parsedGraphFile({ graphs, tempDir }: ParsedGraphFileOptions): ParsedGraphs {
  if (!graphs) throw new OptionError(name, "'graphs' is missing, expected a path or a glob");
  const index = new ImageEntryIndex(name, graphs, tempDir, readEntries);
  return {
    name,
    version: '1',
    files: () => index.files(),
    close: () => index.close(),
    async graphs(image, signal) {
      const { id } = image;
      const found = await index.get(image, signal);
      if (found.length === 0) throw new RecordError('no-graphs', `${name}: no graphs for image ${id}`, { image: id });
      return found.flatMap((list) => readGraphs(list, id));
    },
  };
}

const readEntries: ReadEntries = async (file, put, { signal, flush }) => {
  for await (const { keys, values } of streamJson(file, { layout: 'map', ...(signal && { signal }) })) {
    for (const [index, list] of values.entries()) put({ id: keys[index] }, list);
    await flush();
  }
};

function readGraphs(list: unknown, image: Id): TextGraph[] {
  const reject = (problem: string): never => {
    throw new RecordError('malformed-graph', `${name}: image ${image}: ${problem}`, { image });
  };
  if (!Array.isArray(list)) return reject(`expected a list of graphs, found ${formatJsonValue(list)}`);
  return list.map((graph, position) => {
    const { entities, relations } = fieldsOf(graph);
    if (!Array.isArray(entities) || !Array.isArray(relations)) {
      return reject(`graph ${position}: expected entities and relations, found ${formatJsonValue(graph)}`);
    }
    const read = {
      entities: entities.map(readEntity),
      relations: relations.map((r) => readRelation(r, entities.length)),
    };
    const entity = read.entities.indexOf(null);
    if (entity !== -1)
      return reject(
        `graph ${position}, entity ${entity}: expected span and lemma_head, found ${formatJsonValue(entities[entity])}`,
      );
    const relation = read.relations.indexOf(null);
    if (relation !== -1)
      return reject(
        `graph ${position}, relation ${relation}: expected subject, object and relation, found ${formatJsonValue(relations[relation])}`,
      );
    return read as TextGraph;
  });
}

/** Returns null when the value is not an entity. */
function readEntity(value: unknown): Entity | null {
  const { span, lemma_head: lemma, modifiers } = fieldsOf(value);
  if (typeof span !== 'string' || span.trim() === '' || typeof lemma !== 'string') return null;
  const head = (span.trim().split(/\s+/).at(-1) ?? '').toLowerCase();
  const attributes = elementsOf(modifiers).flatMap((modifier) => {
    const { dep, span: text, lemma_span: lemmaSpan } = fieldsOf(modifier);
    return dep === 'det' || typeof text !== 'string'
      ? []
      : { text, lemma: typeof lemmaSpan === 'string' ? lemmaSpan : text };
  });
  return { span, start: 0, end: span.length, head, lemma, attributes };
}

/** Returns null when the value is not a relation between two of the entities. */
function readRelation(value: unknown, entities: number): TextRelation | null {
  const { subject, object, relation, lemma_relation: lemma } = fieldsOf(value);
  const ends = [subject, object].every(
    (end) => Number.isInteger(end) && (end as number) >= 0 && (end as number) < entities,
  );
  if (!ends || typeof relation !== 'string' || relation === '') return null;
  return {
    subject: subject as number,
    object: object as number,
    predicate: relation,
    lemma: typeof lemma === 'string' && lemma !== '' ? lemma : relation,
  };
}
