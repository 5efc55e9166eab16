import { haveCaption, isCaptionTable, wrappers } from '../captioners/caption-forms.js';
import { describeContent } from '../files/json/describe-content.js';
import { firstBytes } from '../files/json/first-bytes.js';
import { fieldsOf } from '../files/json/json-value.js';
import { parseNestedJson } from '../files/json/parse-json.js';
import { streamJson } from '../files/json/stream-json.js';
import { detectionForm } from '../sources/detection-form.js';

/** The kinds of files that `validate` checks, and their names in messages. */
export const fileKinds = {
  relflow: 'an output of relflow (scene graphs, candidates, rejects, answers, a manifest…)',
  coco: "detections in COCO's format (COCO, Objects365)",
  boxes: 'detections of YOLO, Pascal VOC, CVAT or Label Studio',
  captions: 'captions',
  genome: 'objects or relationships of Visual Genome',
  sizes: 'image_data.json of Visual Genome',
  predictions: 'predictions of a model',
  hoi: "HICO-DET or V-COCO in PPDM's form",
  vcoco: "V-COCO's own annotations",
  openImages: 'relations of Open Images',
  categories: "names of Open Images' categories and predicates",
  vg150: 'scene graphs of VG150 (HDF5)',
  dicts: 'names of VG150',
  psg: 'PSG',
  gqa: 'scene graphs of GQA',
  pseudo: "RLIPv2's annotations",
  candidates: "RLIPv2's candidates",
  frequencies: "RLIPv2's frequencies",
  paths: "RLIPv2's image paths",
  graphs: 'parsed graphs of captions',
  vocabulary: 'a vocabulary',
  training: 'a training configuration',
} as const;

/** A kind of file that relflow reads or writes. */
export type FileKind = keyof typeof fileKinds;

/** How much of a file decides its kind, in bytes and in elements. */
const startBytes = 256 * 1024;
const sampled = 100;

/** The content of the start of a file, and whether it has one JSON value per line. */
interface FileStart {
  readonly text: string;
  readonly isLines: boolean;
  /** The value of the first line, if that is a whole value. */
  readonly first: unknown;
}

/**
 * Returns the kind of a file by its content; null if it is none that relflow reads or writes.
 * @throws InputError if the file cannot be read, or is not the JSON that it starts as
 */
export async function fileKind(file: string): Promise<{ kind: FileKind | null; isLines: boolean }> {
  const { text, isLines, first } = await startOf(file);
  const found = (kind: FileKind | null) => ({ kind, isLines });
  if (hdf5Start.test(text)) return found('vg150');
  const isDamaged =
    first === undefined && /\.jsonl(?:\.gz)?$/.test(file) && ownFormat.test(text.split('\n', 1)[0] ?? '');
  if (isOwn(first) || isDamaged) return { kind: 'relflow', isLines: true };
  if (isLines && isPredictions(fieldsOf(first))) return found('predictions');
  if (first === undefined && !text.startsWith('{') && (await detectionForm(file)) !== 'coco') return found('boxes');
  if (isLines) return found(isCaption(fieldsOf(first)) ? 'captions' : null);
  if (text.startsWith('[')) return found(await kindOfList(file));
  if (text.startsWith('{')) return found(await kindOfObject(file, text));
  if (openImagesHeader.test(text)) return found('openImages');
  return found(isCaptionTable(text) ? 'captions' : null);
}

/** The first line of a file of predictions. */
const isPredictions = ({ predictions, predicates }: Readonly<Record<string, unknown>>) =>
  predictions !== undefined && predicates !== undefined;

/** The first bytes of an HDF5 file, of which the very first is not text. */
const hdf5Start = /^\ufffdHDF\r\n/;

/** The header of Open Images' relations, which have two labels. */
const openImagesHeader = /^"?ImageID"?,.*\bLabelName2\b/;

async function kindOfList(file: string): Promise<FileKind | null> {
  for await (const { values } of streamJson(file, { layout: 'list' })) {
    const fields = fieldsOf(values[0]);
    if (isCaption(fields)) return 'captions';
    if ('hoi_annotation' in fields) return 'hoi';
    if ('action_name' in fields) return 'vcoco';
    if ('rel_annotations' in fields || 'img_fn' in fields) return 'openImages';
    const hasImage = ['image_id', 'id'].some((key) => key in fields);
    if (hasImage && ('objects' in fields || 'relationships' in fields)) {
      return values.slice(0, sampled).some(isPseudoEntry) ? 'pseudo' : 'genome';
    }
    return hasImage && 'width' in fields && 'height' in fields && !('bbox' in fields) ? 'sizes' : null;
  }
  return null;
}

/** Visual Genome has lists of names and no confidences; RLIPv2's annotations have one name. */
function isPseudoEntry(entry: unknown): boolean {
  const { data_split: split, dataset, objects } = fieldsOf(entry);
  const [first] = Array.isArray(objects) ? objects : [];
  return split !== undefined || dataset !== undefined || typeof fieldsOf(first)['names'] === 'string';
}

async function kindOfObject(file: string, text: string): Promise<FileKind | null> {
  if (ownFormat.test(text) && isOwn(Object.fromEntries(await firstEntries(file)))) return 'relflow';
  let problem: unknown;
  try {
    const kind = await kindOfSections(file);
    if (kind !== null) return kind;
  } catch (error) {
    problem = error;
  }
  try {
    // The reader of COCO's format says best what is wrong with a file that is meant to be in it.
    return kindOfMap(await firstEntries(file)) ?? (cocoStart.test(text) ? 'coco' : null);
  } catch (error) {
    throw problem ?? error;
  }
}

/** The start of a file that is meant to be in COCO's format. */
const cocoStart = /^\{(?:[^{}[\]]|\{[^{}]*\})*"images"\s*:\s*\[[\s\S]*"(?:annotations|categories)"/;

const sections = [
  'annotations',
  'images',
  'categories',
  'data',
  'relationship_names',
  'object_names',
  'predicate_classes',
  'obj',
  'rel',
];

/** Returns the kind of an object that has some of the lists of `sections`; reads no more of them than decides it. */
async function kindOfSections(file: string): Promise<FileKind | null> {
  const seen = new Set<string>();
  for await (const { section, values } of streamJson(file, { layout: sections, required: [], skippedKeys })) {
    if (seen.has(section)) continue;
    seen.add(section);
    const first = fieldsOf(values[0]);
    const has = (...keys: string[]) => keys.some((key) => key in first);
    if (section === 'annotations' && has('caption')) return 'captions';
    if (section === 'annotations' && has('bbox', 'category_id', 'segments_info')) return 'coco';
    if (section === 'images' && has('sentences', 'captions', 'caption')) return 'captions';
    if (section === 'data' && has('sceneGraphs', 'visualGenome', 'pseudoAnnotations')) return 'training';
    if (seen.has('data') && seen.has('predicate_classes')) return 'psg';
    if (seen.has('obj') && seen.has('rel')) return 'categories';
    if (seen.has('relationship_names') && seen.has('object_names')) return 'frequencies';
  }
  if (seen.has('annotations') && seen.size === 1) return 'captions';
  return seen.has('images') && (seen.has('annotations') || seen.has('categories')) ? 'coco' : null;
}

const skippedKeys = ['segmentation', 'keypoints'];

async function firstEntries(file: string): Promise<[string, unknown][]> {
  const entries: [string, unknown][] = [];
  for await (const { keys, values } of streamJson(file, { layout: 'map' })) {
    for (const [index, key] of keys.entries()) entries.push([key, values[index]]);
    if (entries.length >= sampled) break;
  }
  return entries;
}

/** Returns the kind of an object whose keys are images or categories. */
function kindOfMap(entries: readonly (readonly [string, unknown])[]): FileKind | null {
  const values = entries.map(([, value]) => value);
  const names = new Set(entries.map(([key]) => key));
  if (names.has('label_to_idx') && names.has('predicate_to_idx')) return 'dicts';
  if (values.length > 0 && values.every((value) => isGraph(fieldsOf(value)))) return 'gqa';
  const every = (test: (value: unknown) => boolean) => values.length > 0 && values.every(test);
  if (every((value) => typeof value === 'string' && imageFile.test(value) && !/\s\S+\s/.test(value))) return 'paths';
  const lists = values.filter((value): value is unknown[] => Array.isArray(value));
  const [element] = lists.find((list) => list.length > 0) ?? [];
  if (lists.length === values.length && Array.isArray(element)) return 'candidates';
  if (lists.length === values.length && Array.isArray(fieldsOf(element)['entities'])) return 'graphs';
  const isText = (value: unknown) => typeof value === 'string';
  const hasTexts = values.filter((value) => isText(value) || (Array.isArray(value) && value.some(isText)));
  const emptyLists = lists.filter((list) => list.length === 0).length;
  if (values.length === 0) return null;
  if (hasTexts.length + emptyLists < values.length / 2) {
    const wrapped = entries.find(([key]) => wrappers.includes(key))?.[1];
    const [first] = Array.isArray(wrapped) ? wrapped : [];
    return isCaption(fieldsOf(first)) || kindOfMap(Object.entries(fieldsOf(wrapped))) === 'captions'
      ? 'captions'
      : null;
  }
  const keys = entries.map(([key]) => key);
  if (keys.filter((key) => /^\d+$/.test(key) || imageFile.test(key)).length > keys.length / 2) return 'captions';
  // Captions are sentences; synonyms have a word or two.
  const texts = hasTexts.flatMap((value) => (Array.isArray(value) ? value.filter(isText) : [value])) as string[];
  const long = texts.filter((text) => text.trim().split(/\s+/).length > 3).length;
  if (long > texts.length / 2) return 'captions';
  const isWords = (value: unknown) => Array.isArray(value) && !value.some((word) => typeof word === 'object');
  return lists.length > 0 && every(isWords) ? 'vocabulary' : null;
}

/** A graph of GQA: its objects by their ids. */
const isGraph = ({ width, objects }: Readonly<Record<string, unknown>>) =>
  width !== undefined && typeof objects === 'object' && objects !== null && !Array.isArray(objects);

const imageFile = /\.(?:jpe?g|png|webp|bmp|gif|tiff?)$/i;

const ownFormat = /"format"\s*:\s*"relflow\./;

function isOwn(value: unknown): boolean {
  const { format } = fieldsOf(value);
  return typeof format === 'string' && format.startsWith('relflow.');
}

const isCaption = (fields: Readonly<Record<string, unknown>>) => haveCaption(Object.keys(fields));

/** Names a file that is not JSON at all: a web page, a git-lfs pointer, an archive, an empty file… */
export async function contentKind(file: string): Promise<string | undefined> {
  const bytes = await firstBytes(file, startBytes);
  if (bytes.toString('utf8').trim() === '') return 'the file is empty';
  const found = describeContent(bytes);
  if (found === undefined) return undefined;
  return `the file is ${found.kind}${found.advice === undefined ? '' : `: ${found.advice}`}`;
}

async function startOf(file: string): Promise<FileStart> {
  const text = (await firstBytes(file, startBytes))
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  const [line = '', ...others] = text.split('\n');
  const first = text.startsWith('{') ? tryParse(line) : undefined;
  const next = others.find((other) => other.trim() !== '')?.trimStart();
  const isLines = first !== undefined && (next?.startsWith('{') === true || isCaption(fieldsOf(first)));
  return { text, isLines, first };
}

function tryParse(text: string): unknown {
  try {
    return parseNestedJson(text);
  } catch {
    return undefined;
  }
}
