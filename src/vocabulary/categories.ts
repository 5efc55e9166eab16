import { readFileSync } from 'node:fs';

/** A category as its data set numbers it. */
export interface Category {
  /** As in the annotation files. COCO's ids have gaps: 80 categories, ids 1 to 90. */
  readonly id: number;
  /** Lower case, as in the vocabulary. */
  readonly name: string;
}

export interface Objects365Category extends Category {
  /** As the official annotation file writes it, slips and trailing blanks included: `Moniter/TV`, `Formula 1 `. */
  readonly official: string;
}

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

/** COCO's 80 object categories in the order of their ids. */
export const coco80Categories: readonly Category[] = read('coco80-categories.json');

/** The 365 categories of Objects365 v2; the id is the place in the list, counted from 1. */
export const objects365Categories: readonly Objects365Category[] = read('objects365-categories.json');
