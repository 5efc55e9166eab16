import { fieldsOf, idProblem, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { IdIndex } from '../files/spools/id-index.js';
import { KeyedStore } from '../files/spools/keyed-store.js';
import type { Id } from '../records/image.js';
import type { SourceContext, SourceReject } from '../records/ports.js';
import { type GenomeGraph, objectsNotIn, readGenomeEntry } from './visual-genome-entry.js';

/** The annotation files of Visual Genome: objects and relationships in separate files, or in one. */
export type GenomeFiles =
  | {
      /** Path of `objects.json`. */
      readonly objects: string;
      /** Path of `relationships.json`. */
      readonly relationships: string;
    }
  | {
      /** Path of `scene_graphs.json`, which has objects and relationships. */
      readonly sceneGraphs: string;
    };

/** The graph of an image, or a rejected entry. */
export type GenomeItem = GenomeEntry | { readonly reject: SourceReject };

/** The graph of an image, as read from the files. */
export interface GenomeEntry {
  readonly image: Id;
  readonly graph: GenomeGraph;
}

/**
 * Reads the graphs of all images in the order of the objects, followed by those of images that only have relationships.
 * The two files may be in different orders, because relationships are first copied to a temporary file. The id of an
 * image may be a number in one file and a string in the other.
 *
 * Rejects: `malformed-image`, an entry without an id; `duplicate-image`, a second entry of an image.
 * @throws InputError if a file cannot be read
 */
export async function* genomeGraphs(
  files: GenomeFiles,
  context: SourceContext,
): AsyncGenerator<GenomeItem, void, void> {
  if ('sceneGraphs' in files) {
    yield* entries(files.sceneGraphs, context);
    return;
  }
  const stored = await KeyedStore.create(context.tempDir);
  try {
    const withRelationships: Id[] = [];
    for await (const entry of entries(files.relationships, context)) {
      if ('reject' in entry) yield entry;
      else {
        withRelationships.push(entry.image);
        stored.put(entry.image, Buffer.from(JSON.stringify(entry.graph)));
        await stored.flush();
      }
    }
    await stored.seal();
    const seen = new IdIndex();
    for await (const entry of entries(files.objects, context)) {
      if ('reject' in entry) yield entry;
      else {
        seen.add(entry.image);
        const more = await storedGraph(stored, entry.image);
        yield more ? { image: entry.image, graph: mergeGraphs(entry.graph, more) } : entry;
      }
    }
    for (const image of withRelationships) {
      const graph = seen.get(image) === undefined ? await storedGraph(stored, image) : null;
      if (graph) yield { image, graph };
    }
  } finally {
    await stored.close();
  }
}

async function* entries(file: string, context: SourceContext): AsyncGenerator<GenomeItem, void, void> {
  const seen = new IdIndex();
  const onRead = (done: number, total: number) => context.progress({ phase: 'reading', done, total });
  for await (const { first, values } of streamJson(file, {
    layout: 'list',
    signal: context.signal,
    onRead,
  })) {
    for (const [index, value] of values.entries()) {
      const written = fieldsOf(value)['image_id'] ?? fieldsOf(value)['id'];
      const image = readId(written);
      if (image === undefined) {
        const position = first + index;
        const message = `entry ${position}: image_id is ${idProblem(written)}`;
        yield { reject: { reason: 'malformed-image', message, detail: { position } } };
      } else if (seen.add(image) === undefined) {
        const message = `image ${image} occurs more than once; only the first entry is used`;
        yield { reject: { reason: 'duplicate-image', message, image } };
      } else yield { image, graph: readGenomeEntry(image, value) };
    }
  }
}

async function storedGraph(stored: KeyedStore, image: Id): Promise<GenomeGraph | null> {
  const [payload] = await stored.get(image);
  return payload ? JSON.parse(payload.toString()) : null;
}

/** Merges the graphs of an image from both files: each file may have objects and relationships. */
function mergeGraphs(own: GenomeGraph, stored: GenomeGraph): GenomeGraph {
  return {
    objects: own.objects,
    embedded: objectsNotIn(own.objects, [...own.embedded, ...stored.objects, ...stored.embedded]),
    relations: [...own.relations, ...stored.relations],
    rejects: [...own.rejects, ...stored.rejects],
    rejected: own.rejected || stored.rejected,
  };
}
