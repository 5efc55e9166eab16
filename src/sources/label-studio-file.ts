import { InputError } from '../errors.js';
import { elementsOf, fieldsOf, formatJsonValue, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import type { Box } from '../records/box.js';
import type { SourceContext } from '../records/ports.js';
import type { Tagger } from '../records/scene-graph.js';
import { isSide } from './image-sizes.js';
import { isImageName } from './named-images.js';
import { pointsBox } from './points-box.js';
import type { AnnotatedImage } from './related-record.js';

type Fields = Readonly<Record<string, unknown>>;
type Count = (reason: string, by?: number) => void;

/** A box of Label Studio, in percent of the image, and its labels. */
interface Region {
  box: Box | null;
  labels: readonly string[];
  score: number | undefined;
}

/**
 * Yields the images of a list of Label Studio's tasks, see `labelStudio`.
 * @throws InputError if the file is not a list of tasks
 */
export async function* labelStudioImages(
  file: string,
  { signal, progress }: SourceContext,
): AsyncGenerator<AnnotatedImage, void, void> {
  const onRead = (done: number, total: number) => progress({ phase: 'reading', done, total });
  for await (const { first, values } of streamJson(file, { layout: 'list', signal, onRead }))
    for (const [k, value] of values.entries()) yield imageOfTask(file, first + k, fieldsOf(value));
}

function imageOfTask(file: string, position: number, task: Fields): AnnotatedImage {
  const { id: written, data: writtenData } = task;
  if (typeof writtenData !== 'object' || writtenData === null)
    throw new InputError(
      file,
      `task ${position + 1} is ${formatJsonValue(task)}, expected an object with 'data' and 'annotations': the export "JSON" of Label Studio, not "JSON-MIN"`,
    );
  const counts: Record<string, number> = {};
  const count: Count = (reason, by = 1) => {
    if (by > 0) counts[reason] = (counts[reason] ?? 0) + by;
  };
  const data = fieldsOf(writtenData);
  const { result, tagger } = chosen(task, count);
  const isPrediction = tagger !== null;
  const size = sizeOf(result);
  const { objects, indices } = objectsOf(result, size, count);
  const { dataset, split, captions } = data;
  const fileName = imageOf(data);
  return {
    id: readId(data['id']) ?? readId(written) ?? position,
    fileName: fileName ?? '',
    size,
    split: typeof split === 'string' ? split : '',
    ...(typeof dataset === 'string' && dataset !== '' && { dataset }),
    objects,
    ...(size === null && { boxesAreFractions: true }),
    relations: relationsOf(result, indices, isPrediction, count),
    tagger,
    captions: elementsOf(captions).flatMap((text) =>
      typeof text === 'string' && text !== '' ? [{ text, source: 'label-studio' }] : [],
    ),
    counts,
    ...(fileName === undefined && {
      refused: { reason: 'malformed-image', problem: `its data ${formatJsonValue(data)} has no path of an image` },
    }),
  };
}

/** The image of a task: `image`, or the first text that ends as images do. */
function imageOf({ image, ...others }: Fields): string | undefined {
  const texts = [image, ...Object.values(others)].filter((text) => typeof text === 'string' && text !== '') as string[];
  if (typeof image === 'string' && image !== '') return image;
  return texts.find((text) => isImageName(text.replace(/[?#].*$/, ''))) ?? texts.find((text) => /[?&]d=/.test(text));
}

/** The results of the annotation or else of the prediction that is used, and what made them: null for people. */
function chosen(task: Fields, count: Count): { result: readonly Fields[]; tagger: Tagger | null } {
  const annotations = elementsOf(task['annotations'] ?? task['completions']).map(fieldsOf);
  const usable = annotations.filter(({ was_cancelled: cancelled }) => cancelled !== true);
  const annotation = usable.find(({ ground_truth: truth }) => truth === true) ?? usable[0];
  if (annotation) {
    count('further-annotation', annotations.length - 1);
    return { result: elementsOf(annotation['result']).map(fieldsOf), tagger: null };
  }
  const predictions = elementsOf(task['predictions']).flatMap((one) =>
    typeof one === 'object' ? [fieldsOf(one)] : [],
  );
  const [prediction] = predictions;
  count('further-annotation', annotations.length + Math.max(0, predictions.length - 1));
  if (!prediction) {
    count('task-without-annotation');
    return { result: [], tagger: null };
  }
  const { model_version: model } = prediction;
  const written = typeof model === 'string' && model !== '' ? model : 'unknown';
  const [, name = written, version = '1'] = /^(.+) (\S+)$/.exec(written) ?? [];
  return {
    result: elementsOf(prediction['result']).map(fieldsOf),
    tagger: { name, version, baseline: false },
  };
}

/** The size of the image by the first result that has one. */
function sizeOf(result: readonly Fields[]): AnnotatedImage['size'] {
  for (const { original_width: width, original_height: height } of result)
    if (isSide(width) && isSide(height)) return { width, height };
  return null;
}

function objectsOf(result: readonly Fields[], size: AnnotatedImage['size'], count: Count) {
  const regions = new Map<unknown, Region>();
  for (const entry of result) {
    const { id, type, value: written } = entry;
    const value = fieldsOf(written);
    if (type === 'relation') continue;
    // The labels of a region may be results of their own, with its id.
    const region = regions.get(id ?? entry) ?? { box: null, labels: [], score: undefined };
    const labels = ['rectanglelabels', 'polygonlabels', 'labels'].flatMap((key) => elementsOf(value[key]));
    const texts = labels.filter((label): label is string => typeof label === 'string' && label !== '');
    const box = boxOf(value, count);
    if (box === undefined && texts.length === 0) continue;
    if (box) region.box = box;
    if (texts.length > 0) region.labels = texts;
    const { score } = entry;
    if (typeof score === 'number') region.score = score;
    regions.set(id ?? entry, region);
  }
  const objects: AnnotatedImage['objects'][number][] = [];
  const indices = new Map<unknown, number>();
  for (const [id, { box, labels, score }] of regions) {
    if (!box) continue;
    const [category] = labels;
    if (category === undefined) count('region-without-label');
    else {
      count('further-label', labels.length - 1);
      indices.set(id, objects.length);
      const own = readId(id);
      const inPixels = size ? pixelsOf(box, size) : box.map((side) => side / 100);
      objects.push({
        ...(own !== undefined && { id: own }),
        category,
        box: inPixels as unknown as Box,
        ...(score !== undefined && { score }),
      });
    }
  }
  return { objects, indices };
}

/** The box of a value in percent; null if it is another shape, which is counted, and undefined if it is none. */
function boxOf(value: Fields, count: Count): Box | null | undefined {
  const { x, y, width, height, rotation, points } = value;
  if (Array.isArray(points)) {
    const box = pointsBox(points.map(elementsOf));
    count(box ? 'box-from-mask' : 'shape-without-box');
    return box;
  }
  const sides = [x, y, width, height];
  const isBox = sides.every(Number.isFinite) && !('keypointlabels' in value);
  if (!isBox && !['x', 'rle'].some((key) => key in value)) return undefined;
  const isTurned = typeof rotation === 'number' && rotation % 360 !== 0;
  if (isBox && !isTurned) return sides as unknown as Box;
  count(isBox ? 'rotated-box' : 'shape-without-box');
  return null;
}

function pixelsOf([x, y, w, h]: Box, { width, height }: { readonly width: number; readonly height: number }): Box {
  const pixels = (percent: number, side: number) => Math.round((percent / 100) * side * 1e6) / 1e6;
  return [pixels(x, width), pixels(y, height), pixels(w, width), pixels(h, height)];
}

function relationsOf(
  result: readonly Fields[],
  indices: ReadonlyMap<unknown, number>,
  isPrediction: boolean,
  count: Count,
): AnnotatedImage['relations'] {
  const isScore = (score: unknown) => typeof score === 'number' && score >= 0 && score <= 1;
  return result.flatMap(({ type, from_id: from, to_id: to, direction, labels, score }) => {
    if (type !== 'relation') return [];
    const [subject, object] = [indices.get(from), indices.get(to)];
    const predicates = elementsOf(labels).filter((label): label is string => typeof label === 'string' && label !== '');
    if (subject === undefined || object === undefined) count('unknown-object');
    else if (predicates.length === 0) count('relation-without-label');
    else {
      const isKept = isPrediction && isScore(score);
      if (isPrediction && score !== undefined && !isKept) count('score-out-of-range');
      const confidence = isKept ? { confidence: score as number } : {};
      return predicates.flatMap((predicate) => [
        ...(direction === 'left' ? [] : [{ subject, object, predicate, ...confidence }]),
        ...(direction === 'left' || direction === 'bi'
          ? [{ subject: object, object: subject, predicate, ...confidence }]
          : []),
      ]);
    }
    return [];
  });
}
