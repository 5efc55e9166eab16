import { OptionError, RelflowError } from '../errors.js';
import { boxOfCorners } from '../records/corners.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import type { AnnotatedImage } from './related-record.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';
import { Vg150File, type Vg150Files, type Vg150Image, type Vg150Split } from './vg150-file.js';

/** The parts of VG150; `all` is all three, the training images first. */
export const VG150_SPLITS = ['train', 'val', 'test', 'all'] as const;

/** Options of `vg150`. */
export interface Vg150Options extends Vg150Files, RelatedSourceOptions {
  /** The part that is read. Default `train`. */
  readonly split?: (typeof VG150_SPLITS)[number];
  /** The number of images at the start of the training images that are `val` and not `train`. Default 5000, as officially. */
  readonly validationImages?: number;
  /** Reads images without relations too, which the official loader leaves out. Default false. */
  readonly withoutRelations?: boolean;
}

/**
 * Reads VG150, the split of Visual Genome with 150 categories and 50 predicates that papers on scene graphs compare on; files
 * with other numbers of names are read too. Equal relations and all predicates of a pair are kept. Images are `<id>.jpg` below
 * `images` or in its folder `VG_100K` or `VG_100K_2`. It needs the package `h5wasm`.
 *
 * Rejects: `duplicate-image`, `image-missing`. Relations are dropped as `relation-of-dropped-box` (a box that clipping leaves
 * empty, `zero-area`).
 *
 * @throws OptionError if an option is missing or out of range
 * Source: Scene-Graph-Benchmark.pytorch, maskrcnn_benchmark/data/datasets/visual_genome.py
 *
 * @example
 * ```ts
 * import { Graph, sceneGraphs, vg150 } from 'relflow';
 *
 * const graph = new Graph('vg150');
 * graph
 *   .from(
 *     vg150({
 *       graphs: 'VG-SGG-with-attri.h5',
 *       dicts: 'VG-SGG-dicts-with-attri.json',
 *       imageData: 'image_data.json',
 *       split: 'test',
 *     }),
 *   )
 *   .to(sceneGraphs());
 * ```
 */
export function vg150(options: Vg150Options): Source<ImageRecord & Related> {
  return relatedSource(vg150Files(options), options);
}

/** Returns what `vg150` reads, see there. */
export function vg150Files(options: Vg150Options): RelatedSourceFiles {
  const name = 'vg150';
  const { graphs, dicts, imageData, split = 'train', validationImages = 5000, withoutRelations = false } = options;
  for (const [option, value] of Object.entries({ graphs, dicts, imageData }))
    if (!value) throw new OptionError(name, `'${option}' is missing, expected the path of a file`);
  if (!VG150_SPLITS.includes(split))
    throw new OptionError(name, `unknown split '${split}', expected one of ${VG150_SPLITS.join(', ')}`);
  if (!Number.isSafeInteger(validationImages) || validationImages < 0)
    throw new OptionError(name, `validationImages ${validationImages}, expected a whole number of at least 0`);
  return {
    name,
    annotations: graphs,
    others: [dicts, imageData],
    options: { split, validationImages, withoutRelations },
    dataset: 'vg150',
    paths: { imageFiles: (file) => [file, `VG_100K/${file}`, `VG_100K_2/${file}`], uniqueNames: true },
    async *read(file, { signal }) {
      const opened = await Vg150File.open({ graphs: file, dicts, imageData }, signal);
      let position = 0;
      let usable = 0;
      const numbers: readonly Vg150Split[] = split === 'all' ? [0, 2] : [split === 'test' ? 2 : 0];
      for (const number of numbers)
        for (const image of opened.images(number)) {
          if (!withoutRelations && image.relations.length === 0) continue;
          const part = number === 2 ? 'test' : position < validationImages ? 'val' : 'train';
          position++;
          if (split !== 'all' && part !== split) continue;
          usable++;
          yield annotatedImage(image, opened, part);
        }
      if (usable === 0)
        throw new RelflowError(
          'no-data',
          `${name}: ${file} has no image for '${split}': of the ${position} images${split === 'all' ? '' : ` with split ${split === 'test' ? 2 : 0}`}${split === 'test' || split === 'all' ? '' : `, the first ${validationImages} are 'val' (validationImages)`}`,
        );
    },
  };
}

const annotatedImage = (
  { id, width, height, objects, relations }: Vg150Image,
  { objects: categories, predicates }: Vg150File,
  split: string,
): AnnotatedImage => ({
  id,
  fileName: `${id}.jpg`,
  size: { width, height },
  split,
  objects: objects.map(({ label, box }) => ({ category: categories[label - 1]!, box: boxOfCorners(box) })),
  relations: relations.map(({ subject, object, predicate }) => ({
    subject,
    object,
    predicate: predicates[predicate - 1]!,
  })),
  categories,
});
