import { fieldsOf, idKey, isId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { IdIndex } from '../files/spools/id-index.js';
import { KeyedStore } from '../files/spools/keyed-store.js';
import type { Id } from '../records/image.js';
import type { SourceContext, SourceReject } from '../records/ports.js';
import { type GenomeGraph, objectsBeside, readGenomeEntry } from './visual-genome-entry.js';

/** Visual Genome's two forms: objects and relationships apart, or together. */
export type GenomeFiles =
  | { readonly objects: string; readonly relationships: string }
  | { readonly sceneGraphs: string };

/** An image's graph, or an entry that is of no use. */
export type GenomeItem = GenomeEntry | { readonly reject: SourceReject };

/** An image's graph as the files have it. */
export interface GenomeEntry {
  readonly image: Id;
  readonly graph: GenomeGraph;
}

/**
 * The graphs of all images, in the order of the objects, then those that have relationships only. The two files may be
 * in different orders: relationships are put aside in a temporary file first. An image whose id is a number in one of
 * them may have it as a text in the other.
 *
 * Rejects: `malformed-image`, an entry without an id; `duplicate-image`, of which the first one stays.
 * @throws InputError where a file can't be read
 */
export async function* genomeGraphs(
  files: GenomeFiles,
  context: SourceContext,
): AsyncGenerator<GenomeItem, void, void> {
  if ('sceneGraphs' in files) {
    yield* entries(files.sceneGraphs, context);
    return;
  }
  const aside = await KeyedStore.create(context.tempDir);
  try {
    const related: Id[] = [];
    for await (const entry of entries(files.relationships, context)) {
      if ('reject' in entry) yield entry;
      else {
        related.push(entry.image);
        aside.put(idKey(entry.image), Buffer.from(JSON.stringify(entry.graph)));
        await aside.flush();
      }
    }
    await aside.seal();
    const seen = new IdIndex();
    for await (const entry of entries(files.objects, context)) {
      if ('reject' in entry) yield entry;
      else {
        seen.add(idKey(entry.image));
        const more = await graphAside(aside, entry.image);
        yield more ? { image: entry.image, graph: joined(entry.graph, more) } : entry;
      }
    }
    for (const image of related) {
      const graph = seen.get(idKey(image)) === undefined ? await graphAside(aside, image) : null;
      if (graph) yield { image, graph };
    }
  } finally {
    await aside.close();
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
      const image = fieldsOf(value)['image_id'] ?? fieldsOf(value)['id'];
      if (!isId(image)) {
        const position = first + index;
        const message = `entry ${position}: expected an image_id`;
        yield { reject: { reason: 'malformed-image', message, detail: { position } } };
      } else if (seen.add(idKey(image)) === undefined) {
        const message = `image ${image} occurs twice; the first one stays`;
        yield { reject: { reason: 'duplicate-image', message, image } };
      } else yield { image, graph: readGenomeEntry(image, value) };
    }
  }
}

async function graphAside(aside: KeyedStore, image: Id): Promise<GenomeGraph | null> {
  const [payload] = await aside.get(idKey(image));
  return payload ? JSON.parse(payload.toString()) : null;
}

/** What an image has in both files: each may have what the other is for. */
function joined(own: GenomeGraph, aside: GenomeGraph): GenomeGraph {
  return {
    objects: own.objects,
    carried: objectsBeside(own.objects, [...own.carried, ...aside.objects, ...aside.carried]),
    relations: [...own.relations, ...aside.relations],
    rejects: [...own.rejects, ...aside.rejects],
    refused: own.refused || aside.refused,
  };
}
