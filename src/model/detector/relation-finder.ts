import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RecordError } from '../../errors.js';
import { imageInside } from '../../files/image-inside.js';
import type { Box } from '../../records/box.js';
import type { FoundObject, FoundRelation, RelationFinder } from '../../records/found-relation.js';
import type { Image } from '../../records/image.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { BackendName } from '../backends/backend-names.js';
import { useBackend } from '../backends/use-backend.js';
import { encodeImage, NO_OBJECTS } from '../encode-image.js';
import { rejectingFailedKernels } from '../kernel-failures.js';
import { loadModel } from '../load-model.js';
import type { ModelConfig } from '../model-config.js';
import type { LayerOutput } from '../rlip-v2.js';

/** Options of `openRelationFinder`. */
export interface RelationFinderOptions {
  /** Weights file: `.safetensors`, an index of shards, or an official `.pth`. */
  readonly weights: string;
  /** Folder that the image paths are relative to. */
  readonly images: string;
  /** Categories to detect. The labels are input of the model, so that scores depend on all of them. */
  readonly categories: readonly string[];
  /** Predicates to detect. */
  readonly predicates: readonly string[];
  /** Configuration of the model; default: the configuration or the preset named in the weights file. */
  readonly config?: ModelConfig;
  /** Folder with RoBERTa's tokenizer.json; default: the folder of the weights. Tiny models do not read it. */
  readonly tokenizer?: string;
  /** Backend; default `auto`. */
  readonly backend?: BackendName | 'auto';
  /** Number of threads of the backend, see `BackendOptions`. */
  readonly threads?: number;
  /** Length in pixels of the shorter side after resizing, and limit of the longest side; default 800 and 1333. */
  readonly size?: readonly [shorter: number, longest: number];
  /** Maximum number of relations per image, the most likely ones. Default 100. */
  readonly maxRelations?: number;
}

/**
 * Opens RLIPv2-ParSeD or ParSeDA as a finder of relations with the given categories and predicates.
 *
 * The score of a relation is the probability of the predicate times the probabilities of the best categories of subject and
 * object.
 *
 * @throws OptionError if an option is out of range
 * @throws InputError if the weights or the tokenizer cannot be read
 * @throws RelflowError (`bad-weights`) if the weights do not fit the model
 *
 * Source: RLIPv2, models/hoi.py, the post-processing for scene graphs.
 *
 * @example
 * ```ts
 * import { openRelationFinder } from 'relflow/model';
 *
 * const finder = await openRelationFinder({
 *   weights: 'parseda.safetensors',
 *   images: 'images',
 *   categories: ['person', 'dog', 'ball'],
 *   predicates: ['holding', 'next to'],
 *   tokenizer: 'roberta-base',
 * });
 * const image = { id: 1, file: '000001.jpg', width: 640, height: 480, dataset: 'coco', split: 'val2017' };
 * for (const { subject, predicate, object, score } of await finder.find(image, new AbortController().signal))
 *   console.log(subject.category, predicate, object.category, score.toFixed(2));
 * finder.dispose();
 * ```
 */
export async function openRelationFinder(
  options: RelationFinderOptions,
): Promise<RelationFinder & { dispose(): void }> {
  const { weights, images, categories, predicates, size = [800, 1333], maxRelations = 100 } = options;
  const name = 'relationFinder';
  if (!existsSync(weights)) throw new OptionError(name, `weights ${weights} do not exist, expected a file of weights`);
  checkPositiveInteger(name, 'maxRelations', maxRelations);
  for (const [list, names] of Object.entries({ categories, predicates })) {
    if (names.length === 0) throw new OptionError(name, `${list} is empty, expected at least one`);
    const repeated = names.find((label, k) => names.indexOf(label) < k);
    if (repeated !== undefined)
      throw new OptionError(name, `${list} lists '${repeated}' twice, expected each name once`);
  }
  await useBackend(options.backend ?? 'auto', options.threads === undefined ? {} : { threads: options.threads });
  const loaded = await loadModel(weights, {
    configOf: (stored) => {
      const config = options.config ?? stored.config;
      if (config === undefined)
        throw new OptionError(name, `${weights} does not name its model, expected the option config`);
      if (config.queries === 'tagger')
        throw new OptionError(name, `model ${config.name} is a tagger, expected queries parsed or parseda`);
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
      const file = await imageInside(images, image.file);
      const outputs = await rejectingFailedKernels(file, async () => {
        const encoded = await encodeImage(loaded, file, { shorter: size[0], longest: size[1] }, labels, {
          annotated: image,
        });
        let last: Record<keyof RelationOutputs, tf.Tensor>;
        try {
          last = tf.tidy(() => outputsOf(model.decode(encoded).at(-1)!));
        } finally {
          tf.dispose(encoded as unknown as tf.TensorContainer);
        }
        const names = Object.keys(last) as (keyof RelationOutputs)[];
        const read = names.map(async (name) => [name, (await last[name].data()) as Float32Array]);
        const values = Object.fromEntries(await Promise.all(read)) as RelationOutputs;
        tf.dispose(last);
        return values;
      });
      for (const [name, values] of Object.entries(outputs) as [keyof RelationOutputs, Float32Array][]) {
        const bad = values.find((value) => !Number.isFinite(value));
        if (bad !== undefined)
          throw new RecordError(
            'bad-score',
            `${file}: the model returned ${bad} among its ${DESCRIPTIONS[name]}, expected finite numbers`,
          );
      }
      return relationsOf(outputs, objects, predicates, image, maxRelations);
    },
  };
}

/** Predictions of the last decoder layer: `[pairs, labels]` of probabilities each, and boxes `[pairs, 4]`. */
interface RelationOutputs {
  readonly subjects: Float32Array;
  readonly objects: Float32Array;
  readonly relations: Float32Array;
  readonly subjectBoxes: Float32Array;
  readonly objectBoxes: Float32Array;
}

/** Names of the outputs in messages. */
const DESCRIPTIONS: Readonly<Record<keyof RelationOutputs, string>> = {
  subjects: 'probabilities of subjects',
  objects: 'probabilities of objects',
  relations: 'probabilities of predicates',
  subjectBoxes: 'boxes of subjects',
  objectBoxes: 'boxes of objects',
};

const outputsOf = ({ subjectLogits, objectLogits, relationLogits, subjectBoxes, objectBoxes }: LayerOutput) => ({
  subjects: tf.softmax(subjectLogits),
  objects: tf.softmax(objectLogits),
  relations: tf.sigmoid(relationLogits),
  subjectBoxes,
  objectBoxes,
});

/** Ranks all triplets by relation probability times the probabilities of both categories. */
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
