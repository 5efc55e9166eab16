import { basename } from 'node:path';
import { InputError, OptionError } from '../errors.js';
import { boxOfCorners } from '../records/corners.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { isOpenImagesCsv, openImagesNames, openImagesRows } from './open-images-csv.js';
import { openImagesCategories, openImagesImages } from './open-images-file.js';
import type { AnnotatedImage } from './related-record.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';

/** Options of `openImages`. */
export interface OpenImagesOptions extends RelatedSourceOptions {
  /**
   * Path or glob of `OI_SGG_test.json` (RLIPv2), `vrd-test-anno.json` (PySGG) or `oidv6-train-annotations-vrd.csv`
   * (the original), gzip or not for JSON.
   */
  readonly annotations: string;
  /** `categories_dict.json`, `{obj, rel}`, whose places the numbers of the JSON forms are. */
  readonly categories?: string;
  /** `oidv6-class-descriptions.csv`: the names of the labels in the original form, such as `/m/04yx4`. */
  readonly descriptions?: string;
  /** Name of the split in records. Default: empty. */
  readonly split?: string;
}

/**
 * Reads the relations of Open Images (V4 to V6): in RLIPv2's form, in PySGG's, or from the original CSV files, whose rows of an
 * image may be anywhere. In the original form, rows of attributes (`is`) are counted as `attribute` and left out, and equal boxes of
 * one label are one object; without `descriptions`, categories are the labels themselves.
 *
 * The original form and RLIPv2's have no image sizes, so that the files of the images are needed.
 *
 * Rejects: `duplicate-image`, `image-missing`, `malformed-image`, `unsafe-path`. Relations are dropped as `undefined-predicate` and
 * `relation-of-dropped-box`, boxes as `undefined-category`; rows that cannot be used are counted as `malformed-row`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://storage.googleapis.com/openimages/web/factsfigures_v6.html; RLIPv2, datasets/oi_sgg.py; PySGG, data/datasets/oi.py
 *
 * @example
 * ```ts
 * import { Graph, openImages, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('open-images');
 * graph
 *   .from(openImages({ annotations: 'OI_SGG_test.json', categories: 'categories_dict.json', images: 'images' }))
 *   .to(sceneGraphs());
 * ```
 */
export function openImages(options: OpenImagesOptions): Source<ImageRecord & Related> {
  return relatedSource(openImagesFiles(options), options);
}

/** Returns what `openImages` reads, see there. */
export function openImagesFiles(options: OpenImagesOptions): RelatedSourceFiles {
  const { annotations, categories, descriptions, split = '' } = options;
  const name = 'open-images';
  if (categories !== undefined && descriptions !== undefined)
    throw new OptionError(name, "'categories' is for the JSON forms and 'descriptions' for CSV, expected one of them");
  const others = [categories, descriptions].filter((file) => file !== undefined);
  return {
    name,
    annotations,
    others,
    ...(split !== '' && { options: { split } }),
    dataset: 'open-images',
    listsCategories: others.length > 0,
    paths: { imageFiles: (file) => [file], uniqueNames: true },
    async *read(file, context) {
      if (await isOpenImagesCsv(file)) yield* fromCsv(file, descriptions, split, context);
      else yield* fromJson(file, categories, split, context);
    },
  };
}

async function* fromJson(
  file: string,
  categories: string | undefined,
  split: string,
  { signal }: SourceContext,
): AsyncGenerator<AnnotatedImage> {
  if (categories === undefined)
    throw new InputError(
      file,
      'has numbers for categories and predicates; expected also their names, categories_dict.json',
    );
  const names = await openImagesCategories(categories);
  for await (const { file: written, size, objects, relations } of openImagesImages(file, signal))
    yield {
      ...imageOf(written, split),
      size,
      objects: objects.map(({ category, box }) => ({
        category: names.objects[category] ?? null,
        box: boxOfCorners(box),
      })),
      relations: relations.map(({ subject, object, predicate }) => ({
        subject,
        object,
        predicate: names.predicates[predicate] ?? null,
      })),
      categories: names.objects,
    };
}

async function* fromCsv(
  file: string,
  descriptions: string | undefined,
  split: string,
  context: SourceContext,
): AsyncGenerator<AnnotatedImage> {
  const names = descriptions === undefined ? undefined : await openImagesNames(descriptions);
  for await (const { image, objects, relations, counts } of openImagesRows(file, context))
    yield {
      ...imageOf(image, split),
      size: null,
      objects: objects.map(({ label, box }) => ({
        category: names ? (names.get(label) ?? null) : label,
        box: boxOfCorners(box),
      })),
      boxesAreFractions: true,
      relations,
      ...(names && { categories: [...names.values()] }),
      counts,
    };
}

/** The form of PySGG and the original one leave out the ending of the file. */
function imageOf(written: string, split: string): Pick<AnnotatedImage, 'id' | 'fileName' | 'split'> {
  const fileName = /\.(?:jpe?g|png)$/i.test(written) ? written : `${written}.jpg`;
  return { id: basename(fileName).replace(/\.[^.]+$/, ''), fileName, split };
}
