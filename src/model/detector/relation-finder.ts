import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { OptionError } from '../../errors.js';
import type { Box } from '../../records/box.js';
import type { FoundObject, FoundRelation, RelationFinder } from '../../records/found-relation.js';
import type { Image } from '../../records/image.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { BackendName } from '../backends/backend-names.js';
import { useBackend } from '../backends/use-backend.js';
import { encodeImage, NO_OBJECTS } from '../encode-image.js';
import { loadModel } from '../load-model.js';
import type { ModelConfig } from '../model-config.js';
import type { LayerOutput } from '../rlip-v2.js';

export interface RelationFinderOptions {
  /** RLIPv2's weights: `.safetensors`, an index of shards, or an official `.pth`. */
  readonly weights: string;
  /** The folder that images' paths are below. */
  readonly images: string;
  /** What objects and relations may be called. Labels are part of what the model reads, so that scores depend on them. */
  readonly categories: readonly string[];
  readonly predicates: readonly string[];
  /** The configuration; default: what the file says, a preset's name or all of it. */
  readonly config?: ModelConfig;
  /** Folder with RoBERTa's tokenizer.json; default: that of the weights. Tiny models need none. */
  readonly tokenizer?: string;
  readonly backend?: BackendName | 'auto';
  readonly threads?: number;
  /** The shorter and the longer side that images are resized to; default 800 and 1333. */
  readonly size?: readonly [shorter: number, longest: number];
  /** Relations an image at most, the likeliest. Default 100. */
  readonly maxRelations?: number;
}

/**
 * RLIPv2 as a finder of relations: ParSeD or ParSeDA, with whatever names it is asked for.
 *
 * A relation's score is the product of how likely the relation is and how likely both objects' best categories are.
 *
 * @throws OptionError where an option is wrong
 * @throws InputError, RelflowError where weights or tokenizer can't be read
 * Source: RLIPv2, models/hoi.py, the post-processing for scene graphs.
 */
export async function openRelationFinder(
  options: RelationFinderOptions,
): Promise<RelationFinder & { dispose(): void }> {
  const { weights, images, categories, predicates, size = [800, 1333], maxRelations = 100 } = options;
  const name = 'relationFinder';
  if (!existsSync(weights)) throw new OptionError(name, `no weights at ${weights}`);
  checkPositiveInteger(name, 'maxRelations', maxRelations);
  for (const [list, names] of Object.entries({ categories, predicates })) {
    if (names.length === 0) throw new OptionError(name, `no ${list}, expected at least one`);
    if (new Set(names).size < names.length) throw new OptionError(name, `one of the ${list} is listed twice`);
  }
  await useBackend(options.backend ?? 'auto', options.threads === undefined ? {} : { threads: options.threads });
  const loaded = await loadModel(weights, {
    configOf: (stored) => {
      const config = options.config ?? stored.config;
      if (config === undefined)
        throw new OptionError(name, `${weights} does not say which model it is of, expected config`);
      if (config.queries === 'tagger') throw new OptionError(name, `${config.name} is a tagger`);
      return config;
    },
    tokenizer: options.tokenizer ?? dirname(weights),
  });
  const objects = [...categories.filter((category) => category !== NO_OBJECTS), NO_OBJECTS];
  const labels = { objects, relations: predicates };
  const { model } = loaded;
  return {
    name: 'rlip',
    version: '1',
    dispose: () => model.dispose(),
    async find(image, signal) {
      signal.throwIfAborted();
      const file = join(images, image.file);
      const encoded = await encodeImage(loaded, file, { shorter: size[0], longest: size[1] }, labels);
      let last: Record<keyof RelationOutputs, tf.Tensor>;
      try {
        last = tf.tidy(() => outputsOf(model.decode(encoded).at(-1)!));
      } finally {
        tf.dispose(encoded as unknown as tf.TensorContainer);
      }
      const names = Object.keys(last) as (keyof RelationOutputs)[];
      const read = names.map(async (name) => [name, (await last[name].data()) as Float32Array]);
      const outputs = Object.fromEntries(await Promise.all(read)) as RelationOutputs;
      tf.dispose(last);
      return relationsOf(outputs, objects, predicates, image, maxRelations);
    },
  };
}

interface RelationOutputs {
  readonly subjects: Float32Array;
  readonly objects: Float32Array;
  readonly relations: Float32Array;
  readonly subjectBoxes: Float32Array;
  readonly objectBoxes: Float32Array;
}

const outputsOf = ({ subjectLogits, objectLogits, relationLogits, subjectBoxes, objectBoxes }: LayerOutput) => ({
  subjects: tf.softmax(subjectLogits),
  objects: tf.softmax(objectLogits),
  relations: tf.sigmoid(relationLogits),
  subjectBoxes,
  objectBoxes,
});

function relationsOf(
  outputs: RelationOutputs,
  labels: readonly string[],
  predicates: readonly string[],
  { width, height }: Image,
  maxRelations: number,
): FoundRelation[] {
  const pairs = outputs.subjectBoxes.length / 4;
  const bestObjects = (scores: Float32Array, boxes: Float32Array) =>
    Array.from({ length: pairs }, (_, pair): FoundObject & { readonly score: number } => {
      const row = scores.subarray(pair * labels.length, (pair + 1) * labels.length - 1);
      let best = 0;
      for (let k = 1; k < row.length; k++) if (row[k]! > row[best]!) best = k;
      const [cx, cy, w, h] = boxes.subarray(4 * pair, 4 * pair + 4) as unknown as [number, number, number, number];
      const box: Box = [(cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height];
      return { category: labels[best]!, box, score: row[best]! };
    });
  const subjects = bestObjects(outputs.subjects, outputs.subjectBoxes);
  const objects = bestObjects(outputs.objects, outputs.objectBoxes);
  const scored = Array.from(outputs.relations, (relation, k) => {
    const pair = Math.floor(k / predicates.length);
    return { k, pair, score: relation * subjects[pair]!.score * objects[pair]!.score };
  });
  scored.sort((a, b) => b.score - a.score || a.k - b.k);
  const withoutScore = ({ category, box }: FoundObject): FoundObject => ({ category, box });
  return scored.slice(0, maxRelations).map(({ k, pair, score }) => ({
    subject: withoutScore(subjects[pair]!),
    predicate: predicates[k % predicates.length]!,
    object: withoutScore(objects[pair]!),
    score,
  }));
}
