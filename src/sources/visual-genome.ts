import { basename } from 'node:path';
import { OptionError } from '../errors.js';
import { checkImageFolder, findImage, safeRelativePath } from '../files/image-folder.js';
import { inputFile } from '../files/input-files.js';
import { formatValue } from '../files/json/json-value.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { ImageSizes } from './image-sizes.js';
import { readAliases } from './visual-genome-aliases.js';
import { type GenomeEntry, type GenomeFiles, genomeGraphs } from './visual-genome-graphs.js';
import { genomeRecord } from './visual-genome-record.js';

/** What a source of Visual Genome is told. Files may be gzip. */
export type VisualGenomeOptions = GenomeFiles & {
  /** `image_data.json`, which has the sizes of the images. */
  readonly imageData: string;
  /** `object_alias.txt`, for near duplicates. */
  readonly objectAliases?: string;
  /** `relationship_alias.txt`, for near duplicates. */
  readonly relationshipAliases?: string;
  /** The image folder. If given, an image whose file is not there is refused (`image-missing`). */
  readonly images?: string;
  /** RLIPv2's preprocessing, see `preprocessGenome`; on unless false. */
  readonly preprocess?: boolean;
  /** How many relations an image keeps at most; 100 unless given. Part of the preprocessing. */
  readonly maxRelations?: number;
  /** Name of the set in records; `vg` unless given. */
  readonly dataset?: string;
  /** Stop after this many images. */
  readonly limit?: number;
};

type GenomeRecord = ImageRecord & Related;

/**
 * Visual Genome: images with objects and the relations that people wrote, without confidences. One record an image, in
 * the order of the objects. An image's file is `<id>.jpg`; with `images` given it may also lie in `VG_100K` or `VG_100K_2`.
 *
 * Boxes go through `filterDetections`; with preprocessing, objects with the same name and box become one, and relations
 * that so become equal (`duplicate-relation`) or lead from an object to itself (`self-relation`) are left out. Relations
 * of a box that is left out go too (`relation-of-dropped-box`). Objects that only relations have are added
 * (`object-from-relationship`). An object without an id gets the first number that no other of its image has.
 *
 * Rejects: `malformed-image`, `duplicate-image`, `malformed-objects`, `malformed-relationships`, `malformed-relationship`,
 * `unknown-size` (not in `image_data.json`), `unsafe-path`, `image-missing`, `malformed-box`. Entries of
 * `image_data.json` that are of no use are counted in an item of their own (`malformed-size`, `duplicate-size`).
 *
 * @throws OptionError where an option is missing or out of range
 * Source: RLIPv2, datasets/vg.py; https://homes.cs.washington.edu/~ranjay/visualgenome/api_readme
 */
export function visualGenome(options: VisualGenomeOptions): Source<GenomeRecord> {
  const name = 'visual-genome';
  const { imageData, images, preprocess = true, dataset = 'vg', limit, maxRelations = 100 } = options;
  const files = 'sceneGraphs' in options ? [options.sceneGraphs] : [options.objects, options.relationships];
  if (files.some((file) => !file)) {
    throw new OptionError(name, "expected 'objects' and 'relationships', or 'sceneGraphs'");
  }
  if (!imageData) throw new OptionError(name, "'imageData' is missing: the sizes of images stand in image_data.json");
  for (const [option, value] of Object.entries({ limit, maxRelations })) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      throw new OptionError(name, `${option} is ${value}, expected a whole number above 0`);
    }
  }
  const aliases = [options.objectAliases, options.relationshipAliases].filter((file) => file !== undefined);
  const inputs = [...files, imageData, ...aliases];
  const origin = { source: name, file: basename(files[0] ?? '') };

  async function* read(context: SourceContext): AsyncGenerator<SourceItem<GenomeRecord>, void, void> {
    await checkImageFolder(images);
    const objectAliases = await readAliases(options.objectAliases);
    const relationshipAliases = await readAliases(options.relationshipAliases);
    const steps = preprocess ? { objectAliases, relationshipAliases, maxRelations } : null;
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
      if (!size) return reject('unknown-size', `no width and height in ${basename(imageData)}`);
      const name = safeRelativePath(`${id}.jpg`);
      if (name === null)
        return reject('unsafe-path', `${formatValue(`${id}.jpg`)} is not a path below the image folder`);
      const file = await findImage(images, [name, `VG_100K/${name}`, `VG_100K_2/${name}`]);
      if (file === null) return reject('image-missing', `no file ${name} in the image folder`);
      return genomeRecord(graph, { id, file, ...size, dataset, split: '' }, origin, steps);
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
      ...(limit !== undefined && { limit }),
      checksImages: images !== undefined,
    },
    adds: ['image', 'detections', 'origin', 'relations', 'tagger'],
    files: () => Promise.all(inputs.map(inputFile)),
    read,
  };
}
