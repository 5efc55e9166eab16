import { basename } from 'node:path';
import { InputError, OptionError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { findImage } from '../files/image-stores/find-image-file.js';
import { inputFile, inputFiles } from '../files/input-files.js';
import { fieldsOf, formatJsonValue, idKey, idProblem, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { safeRelativePath } from '../files/safe-relative-path.js';
import { KeyedStore } from '../files/spools/keyed-store.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Source, SourceContext, SourceItem, SourceReject } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { checkedSize } from './image-sizes.js';
import { readGenomeEntry } from './visual-genome-entry.js';
import { genomeRecord } from './visual-genome-record.js';

/** Options of `pseudoAnnotations`. */
export interface PseudoAnnotationsOptions {
  /** Path or glob of the JSON lists, gzip or not; several files are read one after another in sorted order. */
  readonly annotations: string;
  /**
   * The image folder; the size of an image is read from the header of its file, since the annotations do not have it.
   */
  readonly images: string;
  /** JSON file `{image id: path relative to the image folder}`, which Objects365 needs. */
  readonly filePaths?: string;
  /** The maximum number of images. Default: all. */
  readonly limit?: number;
  /** Ignores the EXIF orientation of images, as the official loader does. Default false: sizes are those of upright images. */
  readonly compat?: boolean;
}

/**
 * Reads RLIPv2's pseudo-annotations: Visual Genome's format with `names` as one string, `dataset`, `data_split` and a
 * `confidence` for each relation. An entry without a `dataset` belongs to Visual Genome. Relations keep their
 * confidences; duplicate relations are kept, as in the official files.
 *
 * The file of an image is the one given by `filePaths`, else COCO's `<split>/<id, 12 digits>.jpg`, with or without the
 * split, or `<id>.jpg`.
 *
 * Rejects: `malformed-image`, `duplicate-image`, `malformed-objects`, `malformed-relationships`, `malformed-relationship`, `unsafe-path`,
 * `image-missing`, `image-unreadable`, `malformed-box`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: RLIPv2, generate_relations_using_verb_tagger.py and datasets/mixed_dataset.py.
 *
 * @example
 * ```ts
 * import { Graph, pseudoAnnotations } from 'relflow';
 *
 * const graph = new Graph('pseudo');
 * graph.from(pseudoAnnotations({ annotations: 'pseudo_annotations.json', images: 'images' }));
 * ```
 */
export function pseudoAnnotations(options: PseudoAnnotationsOptions): Source<ImageRecord & Related> {
  const name = 'pseudo-annotations';
  const { annotations, images, filePaths, limit, compat = false } = options;
  if (!annotations) throw new OptionError(name, "'annotations' is missing, expected a path or a glob");
  if (!images)
    throw new OptionError(name, "'images' is missing, expected the image folder: image sizes are read from the files");
  if (limit !== undefined) checkPositiveInteger(name, 'limit', limit);
  return {
    name,
    version: '1',
    options: { annotations: basename(annotations), ...(limit !== undefined && { limit }), checksImages: true },
    adds: ['image', 'detections', 'origin', 'relations', 'tagger'],
    files: async () => [
      ...(await inputFiles(annotations)),
      ...(filePaths === undefined ? [] : [await inputFile(filePaths)]),
    ],
    async *read(context: SourceContext) {
      await checkImageFolder(images);
      const paths = filePaths === undefined ? null : await readPaths(filePaths, context);
      try {
        let done = 0;
        const seen = new Set<string>();
        for (const file of await inputFiles(annotations)) {
          const origin = { source: name, file: basename(file) };
          for await (const { first, values } of streamJson(file, { layout: 'list', signal: context.signal }))
            for (const [index, value] of values.entries()) {
              if (done === limit) return;
              const again = duplicateEntry(value, seen);
              if (again) {
                yield { rejects: [again] };
                continue;
              }
              const item = await readEntry(value, first + index, origin, { images, paths, compat });
              yield item;
              if (item.record) context.progress({ phase: 'records', done: ++done, total: null });
            }
        }
      } finally {
        await paths?.close();
      }
    },
  };
}

/** @throws InputError if the file is not a JSON object of strings */
async function readPaths(file: string, context: SourceContext): Promise<KeyedStore> {
  const paths = await KeyedStore.create(context.tempDir);
  try {
    for await (const { keys, values } of streamJson(file, { layout: 'map', signal: context.signal }))
      for (const [k, value] of values.entries()) {
        if (typeof value !== 'string')
          throw new InputError(file, `'${keys[k]}' is ${formatJsonValue(value)}, expected a path`);
        paths.put(idKey(keys[k]!), Buffer.from(value));
        await paths.flush();
      }
    await paths.seal();
    return paths;
  } catch (error) {
    await paths.close();
    throw error;
  }
}

/**
 * Returns a reject if an earlier entry has the same data set, split and image id.
 * @param seen the keys of the earlier entries, to which this one is added
 */
export function duplicateEntry(entry: unknown, seen: Set<string>): SourceReject | undefined {
  const { image_id: written, dataset, data_split: split } = fieldsOf(entry);
  const image = readId(written);
  if (image === undefined || seen.size !== seen.add(JSON.stringify([dataset, split, image])).size) return undefined;
  const message = `image ${image} occurs more than once in its data set and split; only the first entry is used`;
  return { reason: 'duplicate-image', message, image };
}

interface EntryOptions {
  readonly images: string;
  readonly paths: KeyedStore | null;
  readonly compat: boolean;
}

async function readEntry(
  entry: unknown,
  position: number,
  origin: ImageRecord['origin'],
  { images, paths, compat }: EntryOptions,
): Promise<SourceItem<ImageRecord & Related>> {
  const { image_id: writtenId, dataset, data_split: split } = fieldsOf(entry);
  const id = readId(writtenId);
  if (id === undefined) {
    const message = `${origin.file}: entry ${position}: image_id is ${idProblem(writtenId)}`;
    return { rejects: [{ reason: 'malformed-image', message, detail: { position } }] };
  }
  const reject = (reason: string, problem: string) => ({
    rejects: [{ reason, message: `image ${id}: ${problem}`, image: id }],
  });
  const graph = readGenomeEntry(id, entry);
  if (graph.rejected) return { rejects: graph.rejects };
  const [listed] = paths ? await paths.get(id) : [];
  const splitName = typeof split === 'string' ? split : '';
  const padded = `${String(id).padStart(12, '0')}.jpg`;
  // HICO-DET's ids are file names.
  const byId = /\.(?:jpe?g|png)$/i.test(String(id)) ? String(id) : `${id}.jpg`;
  const candidates = listed
    ? [String(listed)]
    : [...(splitName === '' ? [] : [`${splitName}/${padded}`]), padded, byId];
  const below = candidates.flatMap((path) => safeRelativePath(path) ?? []);
  if (below.length < candidates.length)
    return reject('unsafe-path', `${formatJsonValue(candidates[0])} is not a path within the image folder`);
  const file = await findImage(images, below as [string, ...string[]]);
  if (file === null) return reject('image-missing', `no file ${below[0]} in the image folder`);
  const size = await checkedSize(images, file, null, compat, {});
  if (!size) return reject('image-unreadable', `${file} is not a readable image`);
  if ('reason' in size) return reject(size.reason, size.problem);
  const { width, height } = size;
  const set = typeof dataset === 'string' && dataset !== '' ? dataset : 'vg';
  return genomeRecord(graph, { id, file, width, height, dataset: set, split: splitName }, origin, null);
}
