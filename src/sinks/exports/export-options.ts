import { OptionError } from '../../errors.js';
import { checkFraction, checkPositiveInteger } from '../../records/option-checks.js';
import { parseRelationExpression } from '../relation-expression.js';
import { splitter } from './split.js';

/** Options of `exportRun`, `exportGraphs` and `exportAs`. */
export interface ExportOptions {
  /** Drops relations below this confidence, in [0, 1]; default 0. Human-annotated relations always stay. */
  readonly minConfidence?: number;
  /** Keeps the relations for which this expression holds, such as `predicate != "on"`; see `parseRelationExpression`. */
  readonly where?: string;
  /** Drops images in which no relation is left. Default false. */
  readonly relatedOnly?: boolean;
  /** Divides the images into named splits, such as `0.8/0.1/0.1`; see `splitter`. */
  readonly split?: string;
  /** Seed of the split and of the sample, an integer. Default 0. */
  readonly seed?: number;
  /** The names of all categories in the order of their ids; an object of another category is dropped. Default: all, sorted. */
  readonly categories?: readonly string[];
  /** The names of all predicates in the order of their ids; other relations are dropped. Default: all, sorted. */
  readonly predicates?: readonly string[];
  /** Folder of the images, for formats that show, embed, copy or link them. */
  readonly images?: string;
  /** What a format of several files does with the images: default `none`, or `embed` where it can and `images` is given. */
  readonly imageFiles?: ImageFiles;
  /** Number of scenes to show, for the format `page`. Default 12. */
  readonly scenes?: number;
  /** Shows scenes at random by `seed`, for the format `page`. Default false: the first with relations. */
  readonly sample?: boolean;
  /** License of the data for a card, such as `cc-by-4.0`. Default: not stated. */
  readonly license?: string;
}

/** What an export does with image files. */
export type ImageFiles = (typeof IMAGE_FILES)[number];

export const IMAGE_FILES = ['none', 'link', 'copy', 'embed'] as const;

/**
 * Checks the options that do not depend on the format.
 * @throws OptionError naming the first that is out of range or cannot be read
 */
export function checkExportOptions(options: ExportOptions): void {
  const { minConfidence = 0, scenes = 1, where, split, seed = 0, imageFiles = 'none', images } = options;
  checkFraction('export', 'minConfidence', minConfidence);
  checkPositiveInteger('export', 'scenes', scenes);
  if (!Number.isSafeInteger(seed)) throw new OptionError('export', `seed is ${seed}, expected an integer`);
  if (where !== undefined) parseRelationExpression(where, 'where');
  if (split !== undefined) splitter(split, seed);
  if (!IMAGE_FILES.includes(imageFiles))
    throw new OptionError('export', `imageFiles is '${imageFiles}', expected one of ${IMAGE_FILES.join(', ')}`);
  if (imageFiles !== 'none' && images === undefined)
    throw new OptionError('export', `imageFiles '${imageFiles}' needs 'images', the folder of the images`);
  for (const name of ['categories', 'predicates'] as const) checkNames(name, options[name]);
}

function checkNames(option: string, names: readonly string[] | undefined): void {
  if (names === undefined) return;
  if (names.length === 0) throw new OptionError('export', `${option} is empty, expected a list of names`);
  const seen = new Set<string>();
  for (const name of names) {
    if (typeof name !== 'string' || name === '')
      throw new OptionError('export', `${option} has a name that is not a text`);
    if (seen.has(name)) throw new OptionError('export', `${option} has '${name}' twice`);
    seen.add(name);
  }
}
