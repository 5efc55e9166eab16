import { readFileSync } from 'node:fs';

/** A category with the id of its data set. */
export interface Category {
  /** Id in the annotation files. COCO's ids have gaps: 80 categories have ids from 1 to 90. */
  readonly id: number;
  /** Name in lower case, as in the vocabulary. */
  readonly name: string;
}

/** A category of Objects365 with its official spelling. */
export interface Objects365Category extends Category {
  /** Name in the official annotation file, including misspellings and trailing blanks: `Moniter/TV`, `Formula 1 `. */
  readonly official: string;
}

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

/** The 80 object categories of COCO, in the order of their ids. */
export const coco80Categories: readonly Category[] = read('coco80-categories.json');

/** The 365 categories of Objects365 v2; the id is the position in the list, counted from 1. */
export const objects365Categories: readonly Objects365Category[] = read('objects365-categories.json');
