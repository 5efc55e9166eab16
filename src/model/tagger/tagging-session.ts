import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RecordError } from '../../errors.js';
import { findImageFile } from '../../files/image-stores/find-image-file.js';
import type { CandidatePair } from '../../records/candidate.js';
import type { Detection, Image } from '../../records/image.js';
import type { TagRequest } from '../../records/ports.js';
import type { BackendName } from '../backends/backend-names.js';
import { useBackend } from '../backends/use-backend.js';
import { ImagePreparer } from '../image/image-preparer.js';
import { defaultImageThreads } from '../image/image-threads.js';
import type { PreparedImage } from '../image/prepare-image.js';
import { rejectingFailedKernels } from '../kernel-failures.js';
import { type LoadedModel, loadModel } from '../load-model.js';
import { officialCompat } from '../model-config.js';
import { ModelRunner } from '../model-runner.js';
import { NO_OBJECTS } from '../no-objects.js';
import { preset, rTaggerR50 } from '../presets.js';
import type { PairGroup } from '../query-source.js';
import { openPasses } from '../recording/open-passes.js';
import type { Encoded, LayerOutput } from '../rlip-v2.js';
import type { LabelLists } from '../text/label-tensors.js';
import type { StoredModel } from '../weights/stored-model.js';
import { BatchQueue, type QueueTimes } from './batch-queue.js';
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
  readonly #runner: ModelRunner;
  /** Most pairs of a group. */
  readonly #groupSize: number;
  readonly #stored: StoredModel;
  /** Undefined if the tagger reads the categories of the data set. */
  readonly #categories: ReadonlySet<string> | undefined;
  readonly #preparer: ImagePreparer;
  readonly #queue: BatchQueue<PreparedRequest, Float32Array>;
  /** The last images that were read, oldest first. */
  readonly #images = new Map<string, Promise<PreparedImage>>();
  /** The last encodings of single images, oldest first. */
  readonly #encodings = new Map<string, Encoded>();

  private constructor(options: SessionOptions, { model, stored }: LoadedModel, runner: ModelRunner) {
    this.#options = options;
    this.#runner = runner;
    this.#groupSize = model.config.pairs;
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
    const loaded = await loadModel(options.weights, {
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
    return new TaggingSession(options, loaded, new ModelRunner(loaded, await openPasses(options.eager)));
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
    const lists = labelLists(labels);
    const key = JSON.stringify([file, width, height, lists]);
    const slots = this.#runner.labelSlots(lists);
    const batchKey = JSON.stringify([image.height, image.width, lists.objects.length, slots]);
    return rejectingFailedKernels(file, () =>
      this.#queue.add(batchKey, { request, detections, labels, image, key, signal }),
    );
  }

  /** What the session has done: images, batches and seconds. */
  get times(): QueueTimes {
    return this.#queue.times;
  }

  /** What was recorded, and the seconds that it took. */
  get warmUp(): ModelRunner['warmUp'] {
    return this.#runner.warmUp;
  }

  /** Ends the threads that read images, and frees recordings; a later request makes them again. */
  async close(): Promise<void> {
    this.#runner.dispose();
    await this.#preparer.close();
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

  /** Encodes the images of a batch in one pass, and scores their pairs: of all at once where passes are recorded. */
  async #scoreBatch(requests: readonly PreparedRequest[]): Promise<Float32Array[]> {
    for (const { signal } of requests) signal.throwIfAborted();
    const [first] = requests as readonly [PreparedRequest];
    if (requests.length === 1) return this.#decode(requests, await this.#encodeAlone(first));
    const encoded = await this.#encode(requests);
    try {
      if (this.#runner.isRecorded) return await this.#decode(requests, encoded);
      const scores: Float32Array[] = [];
      for (const [k, request] of requests.entries()) {
        const alone = encodedImage(encoded, k);
        scores.push(...(await this.#decode([request], alone)));
        disposeEncoded(alone);
      }
      return scores;
    } finally {
      disposeEncoded(encoded);
    }
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

  #encode(requests: readonly PreparedRequest[]): Promise<Encoded> {
    return this.#runner.encode(
      requests.map(({ image }) => image),
      requests.map(({ labels }) => labelLists(labels)),
    );
  }

  /** Scores the texts of requests for their pairs. @param encoded the requests' images */
  async #decode(requests: readonly PreparedRequest[], encoded: Encoded): Promise<Float32Array[]> {
    const groups = requests.map((request) => this.#groups(request));
    const results = requests.map(({ request: { pairs, texts } }) => new Float32Array(pairs.length * texts.length));
    const ends = requests.map(() => 0);
    const most = Math.max(...groups.map(({ length }) => length));
    for (let start = 0; start < most; start += this.#options.groupsAtOnce) {
      const part = groups.map((list) => list.slice(start, start + this.#options.groupsAtOnce));
      const decoded = await this.#runner.decode(encoded, part, SCORES);
      const scores = decoded.outputs['scores']!;
      const values = (await scores.data()) as Float32Array;
      const [, slots, width] = scores.shape as [number, number, number];
      scores.dispose();
      for (const [image, { request, labels }] of requests.entries()) {
        const columns = request.texts.map((text) => labels.relations.get(text)!);
        const result = results[image]!;
        for (const [k, { subjectLabels }] of part[image]!.entries()) {
          const first = (image * decoded.groups + k) * slots;
          for (let row = first; row < first + subjectLabels.length; row++)
            for (const column of columns) result[ends[image]!++] = values[row * width + column]!;
        }
      }
    }
    return results;
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

  /** Builds the input of the decoders for the pairs of a request. */
  #groups({ request: { image, pairs }, detections, labels }: PreparedRequest): PairGroup[] {
    const groups: PairGroup[] = [];
    for (let start = 0; start < pairs.length; start += this.#groupSize)
      groups.push(this.#group(pairs.slice(start, start + this.#groupSize), detections, image, labels));
    return groups;
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

/** What is read of the decoders. */
const SCORES = {
  name: 'scores',
  read: ({ relationLogits }: LayerOutput) => ({ scores: tf.sigmoid(relationLogits) }),
};

const labelLists = ({ objects, relations }: LabelIndex): LabelLists => ({
  objects: [...objects.keys(), NO_OBJECTS],
  relations: [...relations.keys()],
});

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
      validRatios: one(geometry.validRatios),
      validMask: geometry.validMask && one(geometry.validMask),
    },
    labels: labels.map(one),
    objectCount,
    paddingMask: paddingMask && one(paddingMask),
  };
}
