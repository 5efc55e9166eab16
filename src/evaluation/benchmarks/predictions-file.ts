import { InputError } from '../../errors.js';
import { IdMap } from '../../files/id-map.js';
import { jsonLines } from '../../files/json/json-lines.js';
import { fieldsOf, formatJsonValue, readId } from '../../files/json/json-value.js';
import { isCorners } from '../../records/corners.js';
import type { Id } from '../../records/image.js';
import type { ImagePredictions, PredictionsHeader } from '../../records/predictions.js';

/** Predictions of a model for many images, read one image at a time. */
export interface Predictions {
  /** The file, for messages. */
  readonly file: string;
  readonly header: PredictionsHeader;
  /** Yields the predictions of each image once; can be called again. */
  images(): AsyncIterable<ImagePredictions>;
}

/** A line has all scores of an image: 200 pairs with 600 predicates take some megabytes. */
export const PREDICTION_LINES = { maxLineBytes: 256 * 2 ** 20 };

const EXPECTED_HEADER = '{"predictions":1,"objects":[…],"predicates":[…],"fused":true or false}';

/**
 * Opens a file of predictions (`schemas/predictions.schema.json`), gzip or not. Memory holds one image.
 *
 * @throws InputError if the first line is not a header; `images()` throws InputError that names a line that is not valid or
 * repeats an image
 */
export async function openPredictions(file: string, signal?: AbortSignal): Promise<Predictions> {
  const options = { ...PREDICTION_LINES, ...(signal && { signal }) };
  for await (const { value } of jsonLines(file, options)) {
    const header = readHeader(file, value);
    return {
      file,
      header,
      async *images() {
        const reader = new LineReader(file, header);
        const seen = { id: new IdMap<number>(), file: new Map<string, number>() };
        for await (const { value: line, line: number } of jsonLines(file, options))
          if (fieldsOf(line)['predictions'] === undefined) {
            const read = reader.image(number, line);
            const { id, file: name } = read.image;
            const earlier = (id !== undefined && seen.id.get(id)) || (name !== undefined && seen.file.get(name));
            if (earlier)
              throw new InputError(
                file,
                `line ${number}: the image ${name ?? id} was predicted in line ${earlier} already`,
              );
            if (id !== undefined) seen.id.set(id, number);
            if (name !== undefined) seen.file.set(name, number);
            yield read;
          } else if (JSON.stringify(readHeader(file, line)) !== JSON.stringify(header))
            throw new InputError(file, `line ${number}: a second header that differs from the first`);
      },
    };
  }
  throw new InputError(file, `is empty, expected the header ${EXPECTED_HEADER}`);
}

function readHeader(file: string, value: unknown): PredictionsHeader {
  const { predictions, objects, predicates, fused, settings } = fieldsOf(value);
  if (predictions !== 1 || typeof fused !== 'boolean')
    throw new InputError(file, `line 1 is ${formatJsonValue(value)}, expected the header ${EXPECTED_HEADER}`);
  return {
    predictions: 1,
    objects: namesOf(file, 'objects', objects),
    predicates: namesOf(file, 'predicates', predicates),
    fused,
    ...(settings !== undefined && { settings: fieldsOf(settings) }),
  };
}

function namesOf(file: string, key: string, names: unknown): string[] {
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string' && name !== ''))
    throw new InputError(file, `line 1: ${key} is ${formatJsonValue(names)}, expected a list of names`);
  const repeated = names.find((name, k) => names.indexOf(name) < k);
  if (repeated !== undefined) throw new InputError(file, `line 1: ${key} lists '${repeated}' twice, expected it once`);
  return names;
}

/** Checks lines by hand, since a schema's message about one of two kinds of lines names the wrong one. */
class LineReader {
  readonly #file: string;
  readonly #predicates: number;
  readonly #categories: ReadonlySet<unknown>;
  #line = 0;

  constructor(file: string, header: PredictionsHeader) {
    this.#file = file;
    this.#predicates = header.predicates.length;
    this.#categories = new Set(header.objects);
  }

  image(line: number, value: unknown): ImagePredictions {
    this.#line = line;
    const { image, objects, pairs } = fieldsOf(value);
    const { id: writtenId, file } = fieldsOf(image);
    const id: Id | undefined = readId(writtenId);
    if ((id === undefined && typeof file !== 'string') || !Array.isArray(objects) || !Array.isArray(pairs))
      this.#fail(`found ${formatJsonValue(value)}, expected {"image":{"file" or "id"},"objects":[…],"pairs":[…]}`);
    for (const [k, object] of objects.entries()) this.#checkObject(k, object);
    for (const [k, pair] of pairs.entries()) this.#checkPair(k, pair, objects.length);
    return {
      image: { ...(id !== undefined && { id }), ...(typeof file === 'string' && { file }) },
      objects,
      pairs,
    };
  }

  #checkObject(k: number, object: unknown): void {
    const { xyxy, category, score } = fieldsOf(object);
    if (!isCorners(xyxy)) this.#fail(`object ${k}: xyxy is ${formatJsonValue(xyxy)}, expected [x1, y1, x2, y2]`);
    if (!this.#categories.has(category))
      this.#fail(`object ${k}: category is ${formatJsonValue(category)}, expected one of the header's objects`);
    if (score !== undefined && !isScore(score))
      this.#fail(`object ${k}: score is ${formatJsonValue(score)}, expected a number from 0 to 1`);
  }

  #checkPair(k: number, pair: unknown, objects: number): void {
    const { subject, object, scores } = fieldsOf(pair);
    const isIndex = (index: unknown) =>
      Number.isInteger(index) && (index as number) >= 0 && (index as number) < objects;
    if (!isIndex(subject) || (object !== null && !isIndex(object)))
      this.#fail(
        `pair ${k} is of the objects ${formatJsonValue(subject)} and ${formatJsonValue(object)}, expected indices below ${objects}`,
      );
    if (!Array.isArray(scores) || scores.length !== this.#predicates)
      this.#fail(
        `pair ${k} has ${Array.isArray(scores) ? scores.length : 'no'} scores, expected ${this.#predicates}, one for each predicate of the header`,
      );
    for (const score of scores)
      if (!isScore(score))
        this.#fail(`pair ${k} has the score ${formatJsonValue(score)}, expected a number from 0 to 1`);
  }

  #fail(problem: string): never {
    throw new InputError(this.#file, `line ${this.#line}: ${problem}`);
  }
}

const isScore = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;
