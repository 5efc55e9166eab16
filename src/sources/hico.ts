import { basename } from 'node:path';
import { InputError } from '../errors.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { hicoVerbs } from '../vocabulary/hico.js';
import { type HoiImage, hoiImages } from './hoi-file.js';
import { hoiAnnotation } from './hoi-record.js';
import type { AnnotatedImage } from './related-record.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';

/** Options of `hico`. */
export interface HicoOptions extends RelatedSourceOptions {
  /** Path or glob of `trainval_hico.json`, `test_hico.json` or a part of one, in PPDM's form, gzip or not. */
  readonly annotations: string;
}

/**
 * Reads HICO-DET in PPDM's form, which RLIPv2 uses: persons, objects and the verbs between them. Objects have COCO's category
 * names, verbs those of `hico_verb_names.txt` with blanks for underscores. The id of an image is the name of its file, which is
 * below `images` or in its folder `train2015` or `test2015`.
 *
 * Rejects: `dangling-interaction` (an interaction refers to a box that the image lacks; RLIPv2 leaves such images out too),
 * `duplicate-image`, `image-missing`, `malformed-image`, `unsafe-path`. Relations are dropped as `undefined-predicate` (a verb
 * beyond 117) and `relation-of-dropped-box`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: RLIPv2, datasets/hico.py; PPDM, https://github.com/YueLiao/PPDM
 *
 * @example
 * ```ts
 * import { Graph, hico, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('hico');
 * graph.from(hico({ annotations: 'annotations/test_hico.json', images: 'images' })).to(sceneGraphs());
 * ```
 */
export function hico(options: HicoOptions): Source<ImageRecord & Related> {
  return relatedSource(hicoFiles(options), options);
}

/** Returns what `hico` reads, see there. */
export function hicoFiles(options: HicoOptions): RelatedSourceFiles {
  return {
    name: 'hico',
    annotations: options.annotations,
    dataset: 'hico',
    paths: {
      imageFiles: (name) => [name, ...(splitOf(name) === '' ? [] : [`${splitOf(name)}/${name}`])],
      uniqueNames: true,
    },
    async *read(file, { signal }) {
      for await (const image of hoiImages(file, signal)) yield annotatedImage(file, image);
    },
  };
}

function annotatedImage(file: string, image: HoiImage): AnnotatedImage {
  if (image.interactions.some(({ object, verb }) => object === null || verb < 1))
    throw new InputError(
      file,
      `image ${image.file} has an interaction without an object or with the verb 0, which HICO-DET has not; V-COCO has: read the file as V-COCO`,
    );
  return {
    ...hoiAnnotation(image),
    split: splitOf(image.file),
    relations: image.interactions.map(({ subject, object, verb }) => ({
      subject,
      object,
      predicate: hicoVerbs[verb - 1] ?? null,
    })),
  };
}

const splitOf = (file: string): string => /^HICO_((?:train|test)\d+)_/.exec(basename(file))?.[1] ?? '';
