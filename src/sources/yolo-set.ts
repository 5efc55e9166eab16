import { opendir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import { InputError } from '../errors.js';
import { imagePath, pathTails } from '../files/image-path.js';
import { filesBelow, folderOfInputs, inputFile, inputFilesIn } from '../files/input-files.js';
import { isFile } from '../files/is-file.js';
import { isInside } from '../files/is-inside.js';
import { elementsOf, fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { readSmallFile } from '../files/read-small-file.js';
import { isImageName } from './named-images.js';

/** An image of a set in YOLO's format. */
export interface YoloImage {
  /** The path of the image, relative to the root of the set; without extension if only its labels were found. */
  readonly image: string;
  /** The file of its labels; null if it has none. */
  readonly labels: string | null;
  readonly split: string;
}

/** The files of a set in YOLO's format. */
export interface YoloSet {
  readonly root: string;
  /** The file that names the classes. */
  readonly namesFile: string;
  readonly names: readonly string[];
  /** True if labels have keypoints after the box. */
  readonly hasKeypoints: boolean;
  readonly images: readonly YoloImage[];
}

/** A maximum for data.yaml in bytes. */
const maxBytes = 128 * 1024;

/** Files next to labels that are none. */
const noLabels = /^(?:classes|notes|obj|readme.*|train|val|valid|test|predefined_classes)\.(?:txt|names)$/i;

/**
 * Finds the files of a set in YOLO's format: by its `data.yaml`, or by labels, whose classes are named by a file `classes.txt`,
 * `obj.names` or `data.yaml` in their folder or one of the two above.
 * @param annotations `data.yaml`; or the folder of a set or of labels; or a path or glob of labels
 * @throws InputError if there are no labels or no names, or what `data.yaml` says cannot be used
 */
export async function yoloSet(annotations: string): Promise<YoloSet> {
  const isFolder = (await stat(annotations).catch(() => null))?.isDirectory() ?? false;
  const data = isYaml(annotations) ? await inputFile(annotations) : isFolder ? await yamlIn(annotations) : undefined;
  const set = data === undefined ? await labelSet(annotations) : await dataSet(data);
  if (set.images.length === 0) throw new InputError(annotations, 'no images and no labels are where it says they are');
  return set;
}

/** Returns whether a path is that of a YAML file. */
export const isYaml = (path: string): boolean => /\.ya?ml$/i.test(path);

async function dataSet(file: string): Promise<YoloSet> {
  const root = dirname(file);
  const { names, hasKeypoints, fields } = await readData(file);
  const images: YoloImage[] = [];
  for (const split of ['train', 'val', 'test']) {
    const { [split]: written } = fields;
    const places = Array.isArray(written) ? written : written === null || written === undefined ? [] : [written];
    for (const place of places) {
      if (typeof place !== 'string')
        throw new InputError(file, `'${split}' is ${formatJsonValue(place)}, expected a path`);
      const prefix = typeof fields['path'] === 'string' ? fields['path'] : '';
      const found = await placeBelow(root, prefix, place);
      if (found === undefined)
        throw new InputError(
          file,
          `'${split}' is ${formatJsonValue(place)}, which is not below the folder of this file; give the folder of the labels instead`,
        );
      const isList = (await stat(join(root, found))).isFile();
      images.push(
        ...(isList ? await listed(root, found, split) : await imagesIn(root, found, labelPath(found), split)),
      );
    }
  }
  return { root, namesFile: file, names, hasKeypoints, images };
}

async function labelSet(annotations: string): Promise<YoloSet> {
  const folder = folderOfInputs(annotations);
  const named = await namesFor(folder);
  const isFolder = (await stat(annotations).catch(() => null))?.isDirectory() ?? false;
  const root = /^(?:labels|images)$/i.test(basename(resolve(folder)))
    ? dirname(resolve(folder))
    : /^labels$/i.test(basename(dirname(resolve(folder))))
      ? resolve(folder, '../..')
      : resolve(folder);
  const below = relative(root, resolve(folder)).replaceAll(sep, '/');
  if (isFolder) {
    const hasLabels = (await stat(join(folder, 'labels')).catch(() => null))?.isDirectory() ?? false;
    const labels = hasLabels ? [below, 'labels'].filter((part) => part !== '').join('/') : below;
    return { root, ...named, images: await imagesIn(root, imagesPath(labels), labels, '') };
  }
  const images: YoloImage[] = [];
  for (const file of await inputFilesIn(annotations, '.txt')) {
    if (noLabels.test(basename(file))) continue;
    const path = relative(root, resolve(file)).replaceAll(sep, '/');
    images.push({ image: imagesPath(stemOf(path)), labels: file, split: '' });
  }
  return { root, ...named, images };
}

/** Returns the images of a folder and those that only have labels, by their paths without extension. */
async function imagesIn(root: string, images: string, labels: string, split: string): Promise<YoloImage[]> {
  const found = new Map<string, YoloImage>();
  for (const name of await filesBelow(join(root, images)))
    if (isImageName(name)) found.set(stemOf(name), { image: joined(images, name), labels: null, split });
  for (const name of await filesBelow(join(root, labels))) {
    if (!/\.txt$/i.test(name) || noLabels.test(basename(name))) continue;
    const stem = stemOf(name);
    const { image = joined(images, stem) } = found.get(stem) ?? {};
    found.set(stem, { image, labels: join(root, labels, name), split });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, image]) => image);
}

/** Reads a list of paths of images. */
async function listed(root: string, list: string, split: string): Promise<YoloImage[]> {
  const images: YoloImage[] = [];
  for (const line of (await readSmallFile(join(root, list))).split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const image = (await placeBelow(root, '', line.trim())) ?? imagePath(line.trim())?.whole;
    if (image === undefined)
      throw new InputError(join(root, list), `${formatJsonValue(line)} is not the path of an image`);
    const labels = join(root, `${withoutExtension(labelPath(image))}.txt`);
    images.push({ image, labels: (await isInside(root, labels)) ? labels : null, split });
  }
  return images;
}

/**
 * Returns the path, relative to the root, of a file or folder that `data.yaml` names: as written, or the end of it, since many were
 * written on another computer; undefined if it has none that is below the root.
 */
async function placeBelow(root: string, prefix: string, written: string): Promise<string | undefined> {
  const whole = [prefix, written].filter((part) => part !== '').join('/');
  const text = (/^(?:[a-z]:)?[\\/]/i.test(written) ? written : whole).replace(/[\\/]+$/, '');
  if (/^(?:\.[\\/]?)*$/.test(text)) return '';
  const path = imagePath(text);
  if (path === null) return undefined;
  // One name alone may be that of another folder, such as images.
  const ends = pathTails(path).filter((end) => end.includes('/') || !/[\\/]/.test(written.replace(/^\.[\\/]/, '')));
  for (const end of [path.whole, ...ends]) if (await isInside(root, join(root, end))) return end;
  return undefined;
}

/** Returns the path of labels to one of images, as Ultralytics does. */
const labelPath = (path: string) => replaceLast(path, 'images', 'labels');
const imagesPath = (path: string) => replaceLast(path, 'labels', 'images');

function replaceLast(path: string, from: string, to: string): string {
  const segments = path.split('/');
  const at = segments.lastIndexOf(from);
  return at === -1 ? path : segments.with(at, to).join('/');
}

const withoutExtension = (path: string) => path.replace(/\.\w+$/, '');
/** The path without extension, and without what Label Studio writes before it: `?d=`. */
const stemOf = (name: string) => {
  const base = basename(name);
  return withoutExtension(`${name.slice(0, name.length - base.length)}${imagePath(base)?.whole ?? base}`);
};
const joined = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

async function yamlIn(folder: string): Promise<string | undefined> {
  const names: string[] = [];
  for await (const entry of await opendir(folder)) if (entry.isFile() && isYaml(entry.name)) names.push(entry.name);
  const [name] = names.sort((a, b) => Number(!/^data\./i.test(a)) - Number(!/^data\./i.test(b)) || (a < b ? -1 : 1));
  return name === undefined ? undefined : join(folder, name);
}

/** Finds the names of classes in the folder of labels, or in one of the two above. */
async function namesFor(folder: string): Promise<Pick<YoloSet, 'names' | 'namesFile' | 'hasKeypoints'>> {
  for (const place of [folder, join(folder, '..'), join(folder, '../..')]) {
    for (const name of ['classes.txt', 'obj.names']) {
      const namesFile = join(place, name);
      if (!(await isFile(namesFile))) continue;
      const lines = (await readSmallFile(namesFile)).split(/\r?\n/).map((line) => line.trim());
      while (lines.at(-1) === '') lines.pop();
      return { names: lines, namesFile, hasKeypoints: false };
    }
    const namesFile = await yamlIn(place);
    if (namesFile !== undefined) return { ...(await readData(namesFile)), namesFile };
  }
  throw new InputError(
    folder,
    'no names of the classes; expected classes.txt, obj.names or data.yaml in this folder or above',
  );
}

async function readData(file: string) {
  const text = await readSmallFile(file, maxBytes);
  let value: unknown;
  try {
    value = parse(text, { logLevel: 'error', maxAliasCount: 100 });
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('\n');
    throw new InputError(file, `is not YAML that can be read: ${problem}`, undefined, { cause: error });
  }
  const fields = fieldsOf(value);
  const { names: written } = fields;
  const names: string[] = [];
  const entries = Array.isArray(written) ? [...written.entries()] : Object.entries(fieldsOf(written));
  for (const [key, name] of entries) {
    const index = Number(key);
    if (!Number.isSafeInteger(index) || index < 0 || index > 100_000 || typeof name === 'object')
      throw new InputError(file, `'names' has ${formatJsonValue({ [key]: name })}, expected a number and a name`);
    names[index] = String(name);
  }
  if (names.length === 0)
    throw new InputError(file, `'names' is ${formatJsonValue(written)}, expected the names of the classes`);
  const hasKeypoints = elementsOf(fields['kpt_shape']).length > 0;
  return { names: Array.from(names, (name) => name ?? ''), hasKeypoints, fields };
}
