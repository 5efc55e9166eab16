import { createHash } from 'node:crypto';
import { OptionError } from '../../errors.js';
import type { Image } from '../../records/image.js';

/** Assigns an image to one of some named splits. */
export interface Splitter {
  readonly names: readonly string[];
  readonly splitOf: (image: Image) => string;
}

const USUAL_NAMES: Readonly<Record<number, readonly string[]>> = {
  2: ['train', 'test'],
  3: ['train', 'val', 'test'],
};

/**
 * Makes a function that assigns each image to a split by the SHA-256 of the seed, its data set and its id: the same on every
 * machine and in any order of the images, and an image stays in its split when others are added.
 *
 * @param text shares such as `0.8/0.1/0.1` (train, val, test) or `0.9/0.1` (train, test), or with names: `train=0.8,dev=0.2`
 * @throws OptionError when the shares cannot be read, are not in (0, 1), or do not add up to 1
 */
export function splitter(text: string, seed = 0): Splitter {
  const parts = readShares(text);
  const shares = parts.map(({ share }) => share);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-6) throw new OptionError('split', `the shares of '${text}' add up to ${sum}, expected 1`);
  const names = parts.map(({ name }) => name);
  const ends: number[] = [];
  for (const share of shares) ends.push((ends.at(-1) ?? 0) + share);
  return {
    names,
    splitOf: ({ dataset, id }) => {
      const hash = createHash('sha256')
        .update(JSON.stringify([seed, dataset, id]))
        .digest();
      const position = hash.readUIntBE(0, 6) / 2 ** 48;
      const index = ends.findIndex((end) => position < end);
      return (names[index] ?? names.at(-1)) as string;
    },
  };
}

function readShares(text: string): { name: string; share: number }[] {
  const expected = "expected shares such as '0.8/0.1/0.1' or 'train=0.8,val=0.2'";
  const pieces = text.split(text.includes('=') ? ',' : '/').map((piece) => piece.trim());
  const usual = USUAL_NAMES[pieces.length];
  if (!text.includes('=') && !usual)
    throw new OptionError('split', `'${text}' has ${pieces.length} shares, ${expected}; name others than 2 or 3`);
  const parts = pieces.map((piece, index) => {
    const [name, number] = piece.includes('=') ? piece.split('=', 2) : [usual?.[index], piece];
    if (name === undefined || !/^[a-z][a-z0-9_-]{0,31}$/.test(name.trim()))
      throw new OptionError('split', `'${name}' is not a name of lower-case letters and digits, ${expected}`);
    const share = number === undefined || number.trim() === '' ? Number.NaN : Number(number);
    if (!(share > 0 && share < 1)) throw new OptionError('split', `'${piece}' is not a share in (0, 1), ${expected}`);
    return { name: name.trim(), share };
  });
  const repeated = parts.find(({ name }, index) => parts.findIndex((part) => part.name === name) !== index);
  if (repeated) throw new OptionError('split', `the split '${repeated.name}' is named twice`);
  return parts;
}

/** Returns whether an image is one of tests: by the split of the export or, if the set is not split here, by its own. */
export function isTestImage(split: string | null, image: Image): boolean {
  return (split ?? image.split) === 'test';
}
