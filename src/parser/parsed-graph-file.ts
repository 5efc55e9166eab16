import { OptionError, RecordError } from '../errors.js';
import { elementsOf, fieldsOf, formatValue } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { ImageEntryIndex, type ReadEntries } from '../files/spools/image-entry-index.js';
import type { Id } from '../records/image.js';
import type { ParsedGraphs } from '../records/ports.js';
import type { Entity, TextGraph, TextRelation } from '../records/text-graph.js';

/** What a file of parsed graphs is told. */
export interface ParsedGraphFileOptions {
  /** Path or glob of files, gzip or not; several are merged, sorted. */
  readonly graphs: string;
  /** Where the graphs are kept while they are in use; the system's folder for temporary files unless given. */
  readonly tempDir?: string;
}

const name = 'parsed-graph-file';

/**
 * Graphs as the rule-based parser of RLIPv2 writes them: `{"<image id>": [graph, …]}`, one graph a caption. The captions
 * themselves are not in the file: an entity's `span` is all that is known of its text, and `start` and `end` are 0 and
 * the span's length. Spans keep their determiner, predicates are as written.
 *
 * The files are read once, at the first question, into a temporary file: memory holds an index only. Close it after use.
 *
 * `graphs` throws a RecordError `no-graphs` where the files lack the image or `malformed-graph` where a graph is none,
 * and InputError where a file can't be read.
 *
 * @throws OptionError where an option is missing
 * Source: SceneGraphParser (vacancy/SceneGraphParser), its output; RLIPv2, datasets/rlipv2_helper/coco_caption_helper.py
 */
export function parsedGraphFile({ graphs, tempDir }: ParsedGraphFileOptions): ParsedGraphs {
  if (!graphs) throw new OptionError(name, "'graphs' is missing, expected a path or a glob");
  const index = new ImageEntryIndex(graphs, tempDir, readEntries);
  return {
    name,
    version: '1',
    files: () => index.files(),
    close: () => index.close(),
    async graphs({ id }, signal) {
      const found = await index.get(id, signal);
      if (found.length === 0) throw new RecordError('no-graphs', `${name}: no graphs for image ${id}`, { image: id });
      return found.flatMap((list) => readGraphs(list, id));
    },
  };
}

const readEntries: ReadEntries = async (file, put, { signal, flush }) => {
  for await (const { keys, values } of streamJson(file, { layout: 'map', ...(signal && { signal }) })) {
    for (const [index, list] of values.entries()) put(keys[index] as string, list);
    await flush();
  }
};

function readGraphs(list: unknown, image: Id): TextGraph[] {
  const refuse = (problem: string): never => {
    throw new RecordError('malformed-graph', `${name}: image ${image}: ${problem}`, { image });
  };
  if (!Array.isArray(list)) return refuse(`expected a list of graphs, found ${formatValue(list)}`);
  return list.map((graph, position) => {
    const { entities, relations } = fieldsOf(graph);
    if (!Array.isArray(entities) || !Array.isArray(relations)) {
      return refuse(`graph ${position}: expected entities and relations, found ${formatValue(graph)}`);
    }
    const read = {
      entities: entities.map(readEntity),
      relations: relations.map((r) => readRelation(r, entities.length)),
    };
    const entity = read.entities.indexOf(null);
    if (entity !== -1) return refuse(`graph ${position}: entity ${entity} is ${formatValue(entities[entity])}`);
    const relation = read.relations.indexOf(null);
    if (relation !== -1)
      return refuse(`graph ${position}: relation ${relation} is ${formatValue(relations[relation])}`);
    return read as TextGraph;
  });
}

/** Null where it is no entity. */
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

/** Null where it is no relation between two of the entities. */
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
