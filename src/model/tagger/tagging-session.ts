import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RecordError } from '../../errors.js';
import { findImageFile } from '../../files/image-stores/find-image-file.js';
import type { CandidatePair } from '../../records/candidate.js';
import type { Detection, Image } from '../../records/image.js';
import type { TagRequest } from '../../records/ports.js';
import type { BackendName } from '../backends/backend-names.js';
import { useBackend } from '../backends/use-backend.js';
import { encodeImage, NO_OBJECTS } from '../encode-image.js';
import { rejectingFailedKernels } from '../kernel-failures.js';
import { loadModel } from '../load-model.js';
import { officialCompat } from '../model-config.js';
import { preset, rTaggerR50 } from '../presets.js';
import type { PairGroup } from '../query-source.js';
import type { Encoded, RlipV2 } from '../rlip-v2.js';
import type { LabelVectors } from '../text/label-vectors.js';
import type { StoredModel } from '../weights/stored-model.js';
import type { RTaggerOptions } from './r-tagger-options.js';

type SessionOptions = RTaggerOptions & { readonly groupsAtOnce: number; readonly tokenizer: string };

/** Index of each label, by its text. */
interface LabelIndex {
  readonly objects: ReadonlyMap<string, number>;
  readonly relations: ReadonlyMap<string, number>;
}

/** Loaded R-Tagger that caches the encoding of the last image. */
export class TaggingSession {
  readonly #options: SessionOptions;
  readonly #model: RlipV2;
  readonly #vectors: LabelVectors;
  readonly #stored: StoredModel;
  /** Undefined if the tagger reads the categories of the data set. */
  readonly #categories: ReadonlySet<string> | undefined;
  #current: { readonly key: string; readonly encoded: Encoded } | undefined;

  private constructor(options: SessionOptions, model: RlipV2, vectors: LabelVectors, stored: StoredModel) {
    this.#options = options;
    this.#model = model;
    this.#vectors = vectors;
    this.#stored = stored;
    this.#categories = options.categories && new Set(options.categories);
  }

  /**
   * Starts the backend and loads the model.
   * @throws InputError if the weights or the tokenizer cannot be read
   * @throws RelflowError (`bad-weights`) if the weights do not fit the model
   */
  static async open(options: SessionOptions): Promise<TaggingSession> {
    await useBackend(options.backend as BackendName | 'auto' | undefined, {
      tf32: options.tf32 ?? false,
      ...(options.threads !== undefined && { threads: options.threads }),
    });
    const { model, vectors, stored } = await loadModel(options.weights, {
      configOf: (weights) => {
        const named = options.model === undefined ? weights.config : preset(options.model);
        const config = options.config ?? named ?? rTaggerR50;
        if (config.queries !== 'tagger')
          throw new OptionError('rTagger', `model ${config.name} has queries ${config.queries}, expected tagger`);
        return options.compat ? { ...config, compat: officialCompat } : config;
      },
      tokenizer: options.tokenizer,
      ...(options.labelCache !== undefined && { labelCache: options.labelCache }),
    });
    return new TaggingSession(options, model, vectors, stored);
  }

  /**
   * Scores all texts of a request for all of its pairs.
   * @returns probabilities, `[pairs, texts]` in row-major order
   * @throws RecordError (`category-unknown-to-tagger`, `image-missing`, `image-unreadable`, `image-size-differs`,
   * `image-too-thin`, `kernel-failed`)
   */
  async scores(request: TagRequest): Promise<Float32Array> {
    if (request.texts.length === 0) return new Float32Array(0);
    return rejectingFailedKernels(request.image.file, () => this.#scores(request));
  }

  async #scores(request: TagRequest): Promise<Float32Array> {
    const { image, pairs, texts } = request;
    const { detections, labels } = this.#labelSet(request);
    const encoded = await this.#encode(image, labels);
    const size = this.#model.config.pairs;
    const groups: PairGroup[] = [];
    for (let start = 0; start < pairs.length; start += size)
      groups.push(this.#group(pairs.slice(start, start + size), detections, image, labels));
    const result = new Float32Array(pairs.length * texts.length);
    const columns = texts.map((text) => labels.relations.get(text)!);
    const width = labels.relations.size;
    let index = 0;
    for (let start = 0; start < groups.length; start += this.#options.groupsAtOnce) {
      const part = groups.slice(start, start + this.#options.groupsAtOnce);
      const scores = tf.tidy(() => {
        const layers = this.#model.decode(encoded, { groups: part });
        return tf.sigmoid(layers[layers.length - 1]!.relationLogits);
      });
      const values = (await scores.data()) as Float32Array;
      const slots = scores.shape[1]!;
      scores.dispose();
      for (const [k, { subjectLabels }] of part.entries()) {
        for (let row = 0; row < subjectLabels.length; row++)
          for (const column of columns) result[index++] = values[(k * slots + row) * width + column]!;
      }
    }
    return result;
  }

  /**
   * Labels that the model reads. A model that was trained with a fixed set of labels reads all of those, and the labels of
   * the request; any other model reads all categories and the texts of the request.
   */
  #labelSet({ detections, pairs, texts, labels: names = new Map<string, string>() }: TagRequest): {
    readonly detections: readonly Detection[];
    readonly labels: LabelIndex;
  } {
    const given = this.#categories;
    const labelOf = (category: string) => {
      const label = names.get(category) ?? category;
      return !given || given.has(label) ? label : given.has(category) ? category : undefined;
    };
    for (const index of pairs.flatMap(({ subject, object }) => [subject, object])) {
      const { category } = detections[index]!;
      if (labelOf(category) === undefined)
        throw new RecordError(
          'category-unknown-to-tagger',
          `category '${category}' is not among the categories of the R-Tagger, expected one of its ${given!.size}`,
        );
    }
    const labeled = detections.map((detection) => {
      const category = labelOf(detection.category) ?? detection.category;
      return category === detection.category ? detection : { ...detection, category };
    });
    const ofImage = detections.flatMap(({ category }) => labelOf(category) ?? []);
    const { labels } = this.#stored;
    const objects = labels ? [...labels.objects, ...ofImage] : (given ?? [...names.values(), ...ofImage]);
    const ranked = (list: Iterable<string>) => new Map([...new Set(list)].map((name, k) => [name, k]));
    return {
      detections: labeled,
      labels: { objects: ranked(objects), relations: ranked([...(labels?.relations ?? []), ...texts]) },
    };
  }

  /** Encodes an image with a set of labels; returns the cached encoding if both are those of the last call. */
  async #encode(image: Image, { objects: names, relations }: LabelIndex): Promise<Encoded> {
    const objects = [...names.keys(), NO_OBJECTS];
    const key = JSON.stringify([image.file, image.width, image.height, objects, [...relations.keys()]]);
    if (this.#current?.key === key) return this.#current.encoded;
    if (this.#current) tf.dispose(this.#current.encoded as unknown as tf.TensorContainer);
    this.#current = undefined;
    const encoded = await encodeImage(
      { model: this.#model, vectors: this.#vectors },
      await findImageFile(this.#options.images, image.file),
      this.#options.view ?? this.#stored.view ?? {},
      { objects, relations: [...relations.keys()] },
      { annotated: image, compat: this.#options.compat ?? false },
    );
    this.#current = { key, encoded };
    return encoded;
  }

  /** Builds the input of the decoders for one group of pairs. */
  #group(
    pairs: readonly CandidatePair[],
    detections: readonly Detection[],
    { width, height }: { readonly width: number; readonly height: number },
    { objects }: LabelIndex,
  ): PairGroup {
    const boxes = (side: 'subject' | 'object') =>
      Float32Array.from(
        pairs.flatMap((pair) => {
          const [x, y, w, h] = detections[pair[side]]!.box;
          return [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height];
        }),
      );
    const labels = (side: 'subject' | 'object') =>
      Int32Array.from(pairs, (pair) => objects.get(detections[pair[side]]!.category)!);
    return {
      subjectBoxes: boxes('subject'),
      objectBoxes: boxes('object'),
      subjectLabels: labels('subject'),
      objectLabels: labels('object'),
    };
  }
}
