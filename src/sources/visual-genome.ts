import { basename } from 'node:path';
import { OptionError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { findImage } from '../files/image-stores/find-image-file.js';
import { inputFile } from '../files/input-files.js';
import { formatJsonValue } from '../files/json/json-value.js';
import { safeRelativePath } from '../files/safe-relative-path.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { checkedSize, ImageSizes } from './image-sizes.js';
import { checkIsNotCoco } from './other-formats.js';
import { readAliases } from './visual-genome-aliases.js';
import { frequentNames } from './visual-genome-frequent-names.js';
import { type GenomeEntry, type GenomeFiles, genomeGraphs } from './visual-genome-graphs.js';
import { genomeRecord } from './visual-genome-record.js';

/** Options of `visualGenome`. All files may be gzip. */
export type VisualGenomeOptions = GenomeFiles & {
  /** Path of `image_data.json`, which has the image sizes. */
  readonly imageData: string;
  /** Path of `object_alias.txt`, which is used to detect near duplicates. */
  readonly objectAliases?: string;
  /** Path of `relationship_alias.txt`, which is used to detect near duplicates. */
  readonly relationshipAliases?: string;
  /**
   * The image folder. If given, images whose file does not exist are rejected (`image-missing`), sizes that
   * `image_data.json` lacks are read from the files (`size-from-image`), and the other sizes are compared with those of
   * the files, as `coco` does.
   */
  readonly images?: string;
  /** Applies RLIPv2's preprocessing, see `preprocessGenome`. Default true. */
  readonly preprocess?: boolean;
  /** The maximum number of relations per image, applied by the preprocessing. Default 100. */
  readonly maxRelations?: number;
  /**
   * Drops relations whose predicate occurs in fewer relations of the set, or whose subject or object has a name of fewer
   * objects of the set, as RLIPv2's preprocessing does with 20 for its `greater20` file. The files are read twice, whole
   * even with `limit`. Default: all are kept.
   */
  readonly minOccurrences?: number;
  /** Name of the data set in records. Default `vg`. */
  readonly dataset?: string;
  /** The maximum number of images. Default: all. */
  readonly limit?: number;
};

type GenomeRecord = ImageRecord & Related;

/**
 * Reads Visual Genome: images with objects and human-annotated relations, which have no confidences. It yields one
 * record per image, in the order of the objects. The file of an image is `<id>.jpg`; if `images` is given, it may also
 * be in the subfolder `VG_100K` or `VG_100K_2`.
 *
 * Boxes are filtered by `filterDetections`. With preprocessing, objects with the same name and box are merged, and
 * relations that thereby become equal (`duplicate-relation`) or relate an object to itself (`self-relation`) are
 * dropped. With `minOccurrences`, so are relations with rare names (`rare-predicate`, `rare-category`); objects stay.
 * Relations of a dropped box are dropped too (`relation-of-dropped-box`). Objects that only occur in relations
 * are added (`object-from-relationship`). A relation of an object that `merged_object_ids` of another object lists is one
 * of that other object (`merged-object`). Ids are read as by `coco`. An object without an id gets the lowest number that no other object of its
 * image has.
 *
 * Rejects: `malformed-image`, `duplicate-image`, `malformed-objects`, `malformed-relationships`,
 * `malformed-relationship`, `unknown-size` (not in `image_data.json`, nor in a file below `images`), `unsafe-path`,
 * `image-missing`, `malformed-box`.
 * Entries of `image_data.json` that cannot be used are counted in one separate item (`malformed-size`,
 * `duplicate-size`).
 *
 * @throws OptionError if an option is missing, out of range or without effect
 * Source: RLIPv2, datasets/vg.py; https://homes.cs.washington.edu/~ranjay/visualgenome/api_readme
 *
 * @example
 * ```ts
 * import { Graph, visualGenome } from 'relflow';
 *
 * const graph = new Graph('vg');
 * graph.from(
 *   visualGenome({
 *     objects: 'objects.json',
 *     relationships: 'relationships.json',
 *     imageData: 'image_data.json',
 *     images: 'images',
 *   }),
 * );
 * ```
 */
export function visualGenome(options: VisualGenomeOptions): Source<GenomeRecord> {
  const name = 'visual-genome';
  const { imageData, images, preprocess = true, dataset = 'vg', limit, maxRelations = 100, minOccurrences } = options;
  const files = 'sceneGraphs' in options ? [options.sceneGraphs] : [options.objects, options.relationships];
  if (files.some((file) => !file)) {
    throw new OptionError(name, "expected 'objects' and 'relationships', or 'sceneGraphs'");
  }
  if (!imageData)
    throw new OptionError(
      name,
      "'imageData' is missing, expected the path of image_data.json, which has the image sizes",
    );
  for (const [option, value] of Object.entries({ limit, maxRelations, minOccurrences })) {
    if (value !== undefined) checkPositiveInteger(name, option, value);
  }
  if (minOccurrences !== undefined && !preprocess)
    throw new OptionError(
      name,
      "'minOccurrences' has no effect without the preprocessing, which 'preprocess' turns off",
    );
  const aliases = [options.objectAliases, options.relationshipAliases].filter((file) => file !== undefined);
  const inputs = [...files, imageData, ...aliases];
  const origin = { source: name, file: basename(files[0] ?? '') };

  async function* read(context: SourceContext): AsyncGenerator<SourceItem<GenomeRecord>, void, void> {
    await checkImageFolder(images);
    for (const file of [...files, imageData]) await checkIsNotCoco(file);
    const objectAliases = await readAliases(options.objectAliases);
    const relationshipAliases = await readAliases(options.relationshipAliases);
    const firstSteps = { objectAliases, relationshipAliases, maxRelations };
    const frequent =
      minOccurrences !== undefined && (await frequentNames(options, firstSteps, minOccurrences, context));
    const steps = preprocess ? { ...firstSteps, ...(frequent && { frequent }) } : null;
    const sizes = await ImageSizes.read(imageData, context);
    if (Object.keys(sizes.counts).length > 0) yield { counts: sizes.counts };
    const total = Math.min(sizes.count, limit ?? sizes.count);
    let done = 0;
    for await (const entry of genomeGraphs(options, context)) {
      context.signal.throwIfAborted();
      if ('reject' in entry) yield { rejects: [entry.reject] };
      else {
        if (done === limit) return;
        yield await item(entry);
        context.progress({ phase: 'records', done: ++done, total });
      }
    }

    async function item({ image: id, graph }: GenomeEntry): Promise<SourceItem<GenomeRecord>> {
      if (graph.rejected) return { rejects: graph.rejects };
      const size = sizes.get(id);
      const reject = (reason: string, problem: string) => ({
        rejects: [{ reason, message: `image ${id}: ${problem}`, image: id }],
      });
      if (!size && images === undefined)
        return reject(
          'unknown-size',
          `no width and height in ${basename(imageData)}, and no image folder to read them from`,
        );
      const name = safeRelativePath(`${id}.jpg`);
      if (name === null)
        return reject('unsafe-path', `${formatJsonValue(`${id}.jpg`)} is not a path within the image folder`);
      const file = await findImage(images, [name, `VG_100K/${name}`, `VG_100K_2/${name}`]);
      if (file === null) return reject('image-missing', `no file ${name} in the image folder`);
      const counts: Record<string, number> = {};
      const checked = images === undefined ? size! : await checkedSize(images, file, size ?? null, false, counts);
      if (checked === null)
        return reject(
          'unknown-size',
          `no width and height in ${basename(imageData)}, and ${file} is not a readable image`,
        );
      if ('reason' in checked) return reject(checked.reason, checked.problem);
      const read = genomeRecord(graph, { id, file, ...checked, dataset, split: '' }, origin, steps);
      return { ...read, counts: { ...counts, ...read.counts } };
    }
  }
  return {
    name,
    version: '1',
    options: {
      files: inputs.map((file) => basename(file)),
      dataset,
      preprocess,
      ...(preprocess && { maxRelations }),
      ...(minOccurrences !== undefined && { minOccurrences }),
      ...(limit !== undefined && { limit }),
      checksImages: images !== undefined,
    },
    adds: ['image', 'detections', 'origin', 'relations', 'tagger'],
    files: () => Promise.all(inputs.map(inputFile)),
    read,
  };
}
