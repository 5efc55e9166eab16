import type { PixelSize } from '../files/image-header.js';
import { imagePath } from '../files/image-path.js';
import { fieldsOf, formatJsonValue, idProblem, readId } from '../files/json/json-value.js';
import type { Id } from '../records/image.js';
import type { SourceReject } from '../records/ports.js';
import { boxFromText, isBox } from './box-forms.js';
import { isSide, maxSide } from './image-sizes.js';

/** An element of `images`. */
export interface ImageElement {
  readonly id: Id;
  /** The path of the file as written; `imagePath` can read it. */
  readonly fileName: string;
  /** Null if the file gives no usable size, which `sizeProblem` then describes. */
  readonly size: PixelSize | null;
  readonly sizeProblem?: string;
}

/** An element of `annotations`. */
export interface AnnotationElement {
  readonly image: Id;
  /** Null if the file has none, or one that is not usable. */
  readonly id: Id | null;
  /** True if the file has an id that is not usable, such as a fraction. */
  readonly hasBadId?: boolean;
  readonly category: Id;
  /** The value of `bbox`, unchecked. */
  readonly box: unknown;
  readonly crowd: boolean;
  readonly score?: number | undefined;
  /** True if `bbox` cannot be read, but the annotation has a `segmentation`. */
  readonly hasMask?: true;
}

/** An element of `categories`. */
export interface CategoryElement {
  readonly id: Id;
  readonly name: string;
}

/**
 * Checks an element of `images`; returns a reject `malformed-image` or `unsafe-path` if it is invalid. Without a
 * `file_name`, the file is the last two segments of the `coco_url`, as in LVIS. A size may be written as texts.
 */
export function readImage(element: unknown, position: number): ImageElement | SourceReject {
  const fields = fieldsOf(element);
  const { id: writtenId, width, height } = fields;
  const id = readId(writtenId);
  const fileName = (fields['file_name'] === '' ? undefined : fields['file_name']) ?? fileOfUrl(fields['coco_url']);
  const problem =
    (id === undefined && `id is ${idProblem(writtenId)}`) ||
    ((typeof fileName !== 'string' || fileName === '') &&
      `file_name is ${formatJsonValue(fileName)}, expected a path${fileName === undefined ? ', or a URL in coco_url' : ''}`);
  if (problem) return elementReject('malformed-image', 'image', id, position, problem, id);
  if (imagePath(fileName as string) === null)
    return elementReject(
      'unsafe-path',
      'image',
      id,
      position,
      `${formatJsonValue(fileName)} is not the path of an image`,
      id,
    );
  const size = { width: numberOf(width), height: numberOf(height) };
  const image = { id, fileName } as Pick<ImageElement, 'id' | 'fileName'>;
  if (isSide(size.width) && isSide(size.height)) return { ...image, size: size as PixelSize };
  const wrong = isSide(size.width) ? 'height' : 'width';
  const sizeProblem = `${wrong} is ${formatJsonValue(fields[wrong])}, expected a whole number of pixels from 1 to ${maxSide}`;
  return { ...image, size: null, sizeProblem };
}

function fileOfUrl(url: unknown): string | undefined {
  const path = typeof url === 'string' ? imagePath(url) : null;
  return path?.whole.split('/').slice(-2).join('/');
}

const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && value.trim() !== '' ? Number(value) : value;

/** Checks an element of `annotations`, except its box; returns a reject `malformed-annotation` if it is invalid. */
export function readAnnotation(element: unknown, position: number): AnnotationElement | SourceReject {
  const fields = fieldsOf(element);
  const { image_id: writtenImage, id: writtenId = null, category_id: writtenCategory } = fields;
  const { bbox: box, iscrowd, score } = fields;
  const [image, id, category] = [readId(writtenImage), readId(writtenId), readId(writtenCategory)];
  const crowd = iscrowd === 1 || iscrowd === true;
  const problem =
    (image === undefined && `image_id is ${idProblem(writtenImage)}`) ||
    (category === undefined && `category_id is ${idProblem(writtenCategory)}`) ||
    (!crowd && !isNotCrowd(iscrowd) && `iscrowd is ${formatJsonValue(iscrowd)}, expected 0 or 1`);
  if (problem) return elementReject('malformed-annotation', 'annotation', id, position, problem, image);
  // A score that is not a number becomes -1, which `filterDetections` counts as out of range.
  const number = numberOf(score);
  const checkedScore = score === undefined || score === null ? undefined : Number.isFinite(number) ? number : -1;
  const hasBadId = id === undefined && writtenId !== null;
  const read = { image, id: id ?? null, hasBadId, category, box, crowd, score: checkedScore } as AnnotationElement;
  const hasMask = !isBox(box) && (fields['segmentation'] ?? null) !== null && !boxFromText(box);
  return hasMask ? { ...read, hasMask } : read;
}

/** Checks an element of `categories`; returns a reject `malformed-category` if it is invalid. */
export function readCategory(element: unknown, position: number): CategoryElement | SourceReject {
  const { id: writtenId, name: written } = fieldsOf(element);
  const id = readId(writtenId);
  // Some tools name a category by its number.
  const name = Number.isFinite(written) ? String(written) : written;
  if (id !== undefined && typeof name === 'string' && name.trim() !== '') return { id, name };
  return {
    reason: 'malformed-category',
    message: `category at position ${position}: expected an id and a name, found ${formatJsonValue(element)}`,
    detail: { position },
  };
}

/** Returns whether a check rejected its element. */
export function isReject(checked: object): checked is SourceReject {
  return 'reason' in checked;
}

function isNotCrowd(iscrowd: unknown): boolean {
  return iscrowd === 0 || iscrowd === undefined || iscrowd === null || iscrowd === false;
}

function elementReject(
  reason: string,
  kind: 'image' | 'annotation',
  id: Id | undefined,
  position: number,
  problem: string,
  image: Id | undefined,
): SourceReject {
  const name = id !== undefined ? `${kind} ${id}` : `${kind} at position ${position}`;
  const detail = id !== undefined ? { annotation: id } : { position };
  return {
    reason,
    message: `${name}: ${problem}`,
    ...(image !== undefined && { image }),
    ...((kind === 'annotation' || id === undefined) && { detail }),
  };
}
