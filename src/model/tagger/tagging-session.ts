import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RecordError } from '../../errors.js';
import { findImageFile } from '../../files/image-stores/find-image-file.js';
import type { CandidatePair } from '../../records/candidate.js';
import type { Detection, Image } from '../../records/image.js';
import type { TagRequest } from '../../records/ports.js';
import type { BackendName } from '../backends/backend-names.js';
import { useBackend } from '../backends/use-backend.js';
import { encodePrepared, NO_OBJECTS } from '../encode-image.js';
import { ImagePreparer } from '../image/image-preparer.js';
import { defaultImageThreads } from '../image/image-threads.js';
import type { PreparedImage } from '../image/prepare-image.js';
import { rejectingFailedKernels } from '../kernel-failures.js';
import { loadModel } from '../load-model.js';
import { officialCompat } from '../model-config.js';
import { preset, rTaggerR50 } from '../presets.js';
import type { PairGroup } from '../query-source.js';
import type { Encoded, RlipV2 } from '../rlip-v2.js';
import type { LabelVectors } from '../text/label-vectors.js';
import type { StoredModel } from '../weights/stored-model.js';
import { BatchQueue, type QueueTimes } from './batch-queue.js';
import { LabelTensors } from './label-tensors.js';
import type { RTaggerOptions } from './r-tagger-options.js';

type SessionOptions = RTaggerOptions & {
  readonly groupsAtOnce: number;
  readonly batchSize: number;
  readonly tokenizer: string;
};

/** Index of each label, by its text. */
interface LabelIndex {
  readonly objects: ReadonlyMap<string, number>;
  readonly relations: ReadonlyMap<string, number>;
}

/** A request whose image is ready for the model. */
interface PreparedRequest {
  readonly request: TagRequest;
  readonly detections: readonly Detection[];
  readonly labels: LabelIndex;
  readonly image: PreparedImage;
  /** The same for requests about one image with the same labels, which have the same encoding. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** Number of images whose pixels or encoding are kept for further requests about them. */
const MAX_KEPT = 2;

/** Loaded R-Tagger. It reads images ahead of the model, and encodes those of one size in batches. */
export class TaggingSession {
  readonly #options: SessionOptions;
  readonly #model: RlipV2;
  readonly #labels: LabelTensors;
  readonly #stored: StoredModel;
  /** Undefined if the tagger reads the categories of the data set. */
  readonly #categories: ReadonlySet<string> | undefined;
  readonly #preparer: ImagePreparer;
  readonly #queue: BatchQueue<PreparedRequest, Float32Array>;
  /** The last images that were read, oldest first. */
  readonly #images = new Map<string, Promise<PreparedImage>>();
  /** The last encodings of single images, oldest first. */
  readonly #encodings = new Map<string, Encoded>();

  private constructor(options: SessionOptions, model: RlipV2, vectors: LabelVectors, stored: StoredModel) {
    this.#options = options;
    this.#model = model;
    this.#labels = new LabelTensors(vectors);
    this.#stored = stored;
    this.#categories = options.categories && new Set(options.categories);
    // Without batches the model itself takes the processor's time, and images are decoded in other threads in any case.
    this.#preparer = new ImagePreparer(options.batchSize === 1 ? 0 : defaultImageThreads());
    this.#queue = new BatchQueue(options.batchSize, (requests) => this.#scoreBatch(requests));
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
  async scores(request: TagRequest, signal: AbortSignal): Promise<Float32Array> {
    if (request.texts.length === 0) return new Float32Array(0);
    const { detections, labels } = this.#labelSet(request);
    const { file, width, height } = request.image;
    const image = await this.#prepare(request.image);
    const [objects, relations] = [[...labels.objects.keys()], [...labels.relations.keys()]];
    const key = JSON.stringify([file, width, height, objects, relations]);
    const batchKey = JSON.stringify([image.height, image.width, objects.length, relations.length]);
    return rejectingFailedKernels(file, () =>
      this.#queue.add(batchKey, { request, detections, labels, image, key, signal }),
    );
  }

  /** What the session has done: images, batches and seconds. */
  get times(): QueueTimes {
    return this.#queue.times;
  }

  /** Ends the threads that read images; a later request starts them again. */
  close(): Promise<void> {
    return this.#preparer.close();
  }

  /** Reads the image of a request, unless one of the last requests had the same. */
  #prepare({ file, width, height }: Image): Promise<PreparedImage> {
    const key = JSON.stringify([file, width, height]);
    const known = this.#images.get(key);
    if (known) return known;
    const image = findImageFile(this.#options.images, file).then((source) =>
      this.#preparer.prepare({
        file: source,
        size: this.#options.view ?? this.#stored.view ?? {},
        reading: { annotated: { width, height }, compat: this.#options.compat ?? false },
      }),
    );
    this.#images.set(key, image);
    if (this.#images.size > MAX_KEPT) this.#images.delete(this.#images.keys().next().value!);
    return image;
  }

  /** Encodes the images of a batch in one pass, and scores the pairs of one after another. */
  async #scoreBatch(requests: readonly PreparedRequest[]): Promise<Float32Array[]> {
    for (const { signal } of requests) signal.throwIfAborted();
    const [first] = requests as readonly [PreparedRequest];
    if (requests.length === 1) return [await this.#decode(first, await this.#encodeAlone(first))];
    const scores: Float32Array[] = [];
    const encoded = await this.#encode(requests);
    try {
      for (const [k, request] of requests.entries()) {
        const alone = encodedImage(encoded, k);
        scores.push(await this.#decode(request, alone));
        disposeEncoded(alone);
      }
    } finally {
      disposeEncoded(encoded);
    }
    return scores;
  }

  async #encodeAlone(request: PreparedRequest): Promise<Encoded> {
    const known = this.#encodings.get(request.key);
    if (known) return known;
    if (this.#encodings.size >= MAX_KEPT) {
      const [oldest, encoded] = this.#encodings.entries().next().value!;
      disposeEncoded(encoded);
      this.#encodings.delete(oldest);
    }
    const encoded = await this.#encode([request]);
    this.#encodings.set(request.key, encoded);
    return encoded;
  }

  async #encode(requests: readonly PreparedRequest[]): Promise<Encoded> {
    const sets = requests.map(({ labels: { objects, relations } }) => ({
      objects: [...objects.keys(), NO_OBJECTS],
      relations: [...relations.keys()],
    }));
    const vectors = await this.#labels.of(sets);
    try {
      const images = requests.map(({ image }) => image);
      return tf.tidy(
        () => encodePrepared(this.#model, images, vectors, sets[0]!.objects.length) as unknown as tf.TensorContainer,
      ) as unknown as Encoded;
    } finally {
      vectors.dispose();
    }
  }

  /** Scores the texts of a request for its pairs. @param encoded the request's image alone */
  async #decode(
    { request: { image, pairs, texts }, detections, labels }: PreparedRequest,
    encoded: Encoded,
  ): Promise<Float32Array> {
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

const disposeEncoded = (encoded: Encoded): void => tf.dispose(encoded as unknown as tf.TensorContainer);

/** Returns the encoding of one image of a batch; the caller disposes of it. */
function encodedImage({ memory, geometry, labels, objectCount, paddingMask }: Encoded, k: number): Encoded {
  const one = <T extends tf.Tensor>(x: T): T =>
    tf.slice(x, [k, ...x.shape.slice(1).fill(0)], [1, ...x.shape.slice(1)]) as T;
  return {
    memory: one(memory),
    geometry: {
      levels: geometry.levels.map((level) => ({ ...level, validSizes: [level.validSizes[k]!] })),
      batch: 1,
      tokens: geometry.tokens,
      validRatios: one(geometry.validRatios),
      referencePoints: one(geometry.referencePoints),
      positions: one(geometry.positions),
      validMask: geometry.validMask && one(geometry.validMask),
    },
    labels: labels.map(one),
    objectCount,
    paddingMask: paddingMask && one(paddingMask),
  };
}
