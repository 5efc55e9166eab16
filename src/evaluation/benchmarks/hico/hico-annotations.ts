import { InputError } from '../../../errors.js';
import { increment } from '../../../records/increment.js';
import { type HoiImage, hoiImages } from '../../../sources/hoi-file.js';
import { coco80Categories } from '../../../vocabulary/categories.js';
import { hicoInteractions, hicoVerbs } from '../../../vocabulary/hico.js';

/** COCO's category of people, the subject of every interaction. */
export const PERSON = 1;

/** Number of a class: a combination of the categories of subject and object and a verb. */
export const tripletKey = (subject: number, object: number, verb: number): number =>
  (subject * 1000 + object) * 1000 + verb;

/** The subject, object and verb of a class by its number. */
export const tripletOf = (key: number): { subject: number; object: number; verb: number } => ({
  subject: Math.floor(key / 1e6),
  object: Math.floor(key / 1000) % 1000,
  verb: key % 1000,
});

const combinations = new Map(
  hicoInteractions.map(({ verb, object, index }) => [tripletKey(PERSON, object, verb), index]),
);

/** Returns the index of a class among HICO-DET's 600 combinations, 0 to 599; null if it is not one of them. */
export const interactionIndex = (key: number): number | null => combinations.get(key) ?? null;

/**
 * Reads annotations in PPDM's form (`test_hico.json`, `test_vcoco.json`) to evaluate on.
 * @throws InputError if an interaction refers to a box that does not exist
 */
export async function readHoiImages(file: string, signal?: AbortSignal): Promise<readonly HoiImage[]> {
  const images: HoiImage[] = [];
  for await (const image of hoiImages(file, signal)) {
    if (image.dangling > 0)
      throw new InputError(
        file,
        `image ${image.file}: ${image.dangling} interactions refer to boxes that do not exist`,
      );
    images.push(image);
  }
  return images;
}

/**
 * Reads the annotations of HICO-DET (`test_hico.json`, PPDM's form).
 * @throws InputError if an interaction refers to a box that does not exist or has no object
 */
export async function readHicoImages(file: string, signal?: AbortSignal): Promise<readonly HoiImage[]> {
  const images = await readHoiImages(file, signal);
  const without = images.find(({ interactions }) => interactions.some(({ object }) => object === null));
  if (without)
    throw new InputError(file, `image ${without.file}: an interaction has no object, as in V-COCO, expected HICO-DET`);
  return images;
}

/**
 * Counts the interactions of each class in the training annotations (`trainval_hico.json`), which decide what is rare.
 * Interactions that refer to boxes that do not exist have no class and are not counted.
 */
export async function countHicoTriplets(file: string, signal?: AbortSignal): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for await (const { objects, interactions } of hoiImages(file, signal))
    for (const { subject, object, verb } of interactions) {
      if (object === null) throw new InputError(file, 'an interaction has no object, as in V-COCO, expected HICO-DET');
      const key = tripletKey(objects[subject]!.category, objects[object]!.category, verb);
      increment(counts, key);
    }
  return counts;
}

const verbNumbers = new Map(hicoVerbs.map((name, k) => [name, k + 1]));
const categoryNumbers = new Map(coco80Categories.map(({ id, name }) => [name, id]));
const plain = (name: string) => name.replaceAll('_', ' ').trim().toLowerCase();

/**
 * Returns the number of each verb by its name, in any case, with blanks or underscores.
 * @throws InputError that names an unknown verb
 */
export const hicoVerbNumbers = (file: string, names: readonly string[]): readonly number[] =>
  names.map((name) => numberOf(file, 'predicate', verbNumbers, name, "one of HICO-DET's 117 verbs"));

/**
 * Returns COCO's id of each category by its name, in any case, with blanks or underscores.
 * @throws InputError that names an unknown category
 */
export const cocoNumbers = (file: string, names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name) => [name, numberOf(file, 'object', categoryNumbers, name, "one of COCO's 80 categories")]));

function numberOf(file: string, kind: string, known: ReadonlyMap<string, number>, name: string, expected: string) {
  const number = known.get(plain(name));
  if (number === undefined)
    throw new InputError(file, `line 1: the ${kind} '${name}' of the header is unknown, expected ${expected}`);
  return number;
}
