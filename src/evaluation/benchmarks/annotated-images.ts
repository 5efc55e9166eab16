import { InputError } from '../../errors.js';
import type { ImagePredictions } from '../../records/predictions.js';
import type { Predictions } from './predictions-file.js';

/** Scores predictions image by image. */
export interface ImageEvaluation<T> {
  /** @param position the place of the image among the annotated ones */
  add(position: number, image: ImagePredictions): void;
  /** @param missing number of annotated images without predictions */
  result(missing: number): T;
}

/** Finds the annotation of each predicted image and counts the annotated images without predictions. */
export class AnnotatedImages {
  readonly #positions = new Map<string, number>();
  readonly #predicted = new Set<number>();
  readonly #keyOf: (image: ImagePredictions['image']) => string | undefined;
  readonly #expected: string;
  readonly #file: string;

  /**
   * @param file the annotation file, for messages
   * @param keys the key of each annotated image
   * @param keyOf returns the key of a predicted image; undefined if it lacks what the key is made of
   * @param expected what a predicted image needs, for messages: `its file`
   */
  constructor(
    file: string,
    keys: Iterable<string>,
    keyOf: (image: ImagePredictions['image']) => string | undefined,
    expected: string,
  ) {
    this.#file = file;
    this.#keyOf = keyOf;
    this.#expected = expected;
    for (const key of keys) {
      if (this.#positions.has(key)) throw new InputError(file, `the image ${key} occurs twice, expected each once`);
      this.#positions.set(key, this.#positions.size);
    }
    if (this.#positions.size === 0) throw new InputError(file, 'contains no image to evaluate on');
  }

  /** Finds images by their files. */
  static byFile(file: string, images: readonly { readonly file: string }[]): AnnotatedImages {
    return new AnnotatedImages(
      file,
      images.map((image) => image.file),
      (image) => image.file,
      'its file',
    );
  }

  /** Number of annotated images without a line of predictions so far. */
  get missing(): number {
    return this.#positions.size - this.#predicted.size;
  }

  /**
   * Yields the predictions of each image with the position of its annotation.
   * @throws InputError if an image is not annotated
   */
  async *#match(predictions: Predictions): AsyncGenerator<[position: number, image: ImagePredictions], void, void> {
    for await (const image of predictions.images()) {
      const key = this.#keyOf(image.image);
      const name = JSON.stringify(image.image);
      if (key === undefined)
        throw new InputError(predictions.file, `the image ${name} lacks ${this.#expected}, which this benchmark needs`);
      const position = this.#positions.get(key);
      if (position === undefined)
        throw new InputError(predictions.file, `the image ${name} is not among the images of ${this.#file}`);
      if (this.#predicted.has(position))
        throw new InputError(predictions.file, `the image ${name} was predicted twice, expected each image once`);
      this.#predicted.add(position);
      yield [position, image];
    }
  }

  /**
   * Adds the predictions of each image to an evaluation and returns its result.
   * @throws InputError if an image is not annotated
   */
  async evaluate<T>(predictions: Predictions, evaluation: ImageEvaluation<T>): Promise<T> {
    for await (const [position, image] of this.#match(predictions)) evaluation.add(position, image);
    return evaluation.result(this.missing);
  }
}
