import type { Id } from '../records/image.js';
import type { SourceReject } from '../records/ports.js';
import { isPathBelow } from './image-folder.js';
import { isSide } from './image-sizes.js';
import { fieldsOf, isId, shown } from './json-value.js';

/** An element of `images`. */
export interface ImageElement {
  readonly id: Id;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
}

/** An element of `annotations`. */
export interface AnnotationElement {
  readonly image: Id;
  /** Null where the file gives none. */
  readonly id: Id | null;
  readonly category: Id;
  /** Whatever stands under `bbox`. */
  readonly box: unknown;
  readonly crowd: boolean;
  readonly score?: number | undefined;
}

/** An element of `categories`. */
export interface CategoryElement {
  readonly id: Id;
  readonly name: string;
}

/** Checks an element of `images`: a reject `malformed-image` or `unsafe-path` where it is of no use. */
export function readImage(element: unknown, position: number): ImageElement | SourceReject {
  const { id, file_name: fileName, width, height } = fieldsOf(element);
  const refuse = (problem: string, reason = 'malformed-image'): SourceReject => ({
    reason,
    message: `image ${isId(id) ? id : `at position ${position}`}: ${problem}`,
    ...(isId(id) ? { image: id } : { detail: { position } }),
  });
  if (!isId(id)) return refuse(`id is ${shown(id)}, expected a whole number or a text`);
  if (!isSide(width)) return refuse(`width is ${shown(width)}, expected a whole number of pixels`);
  if (!isSide(height)) return refuse(`height is ${shown(height)}, expected a whole number of pixels`);
  if (typeof fileName !== 'string' || fileName === '')
    return refuse(`file_name is ${shown(fileName)}, expected a path`);
  if (!isPathBelow(fileName)) return refuse(`${shown(fileName)} leads out of the image folder`, 'unsafe-path');
  return { id, fileName, width, height };
}

/** Checks an element of `annotations` save its box: a reject `malformed-annotation` where it is of no use. */
export function readAnnotation(element: unknown, position: number): AnnotationElement | SourceReject {
  const { image_id: image, id, category_id: category, bbox: box, iscrowd, score } = fieldsOf(element);
  const refuse = (problem: string): SourceReject => ({
    reason: 'malformed-annotation',
    message: `annotation ${isId(id) ? id : `at position ${position}`}: ${problem}`,
    ...(isId(image) && { image }),
    detail: isId(id) ? { annotation: id } : { position },
  });
  if (id !== undefined && id !== null && !isId(id))
    return refuse(`id is ${shown(id)}, expected a whole number or a text`);
  if (!isId(image)) return refuse(`image_id is ${shown(image)}, expected a whole number or a text`);
  if (!isId(category)) return refuse(`category_id is ${shown(category)}, expected a whole number or a text`);
  const crowd = iscrowd === 1 || iscrowd === true;
  if (!crowd && iscrowd !== 0 && iscrowd !== false && iscrowd !== undefined && iscrowd !== null) {
    return refuse(`iscrowd is ${shown(iscrowd)}, expected 0 or 1`);
  }
  return { image, id: id ?? null, category, box, crowd, score: typeof score === 'number' ? score : undefined };
}

/** Checks an element of `categories`: a reject `malformed-category` where it is of no use. */
export function readCategory(element: unknown, position: number): CategoryElement | SourceReject {
  const { id, name } = fieldsOf(element);
  if (isId(id) && typeof name === 'string' && name.trim() !== '') return { id, name };
  return {
    reason: 'malformed-category',
    message: `category at position ${position}: expected an id and a name, found ${shown(element)}`,
    detail: { position },
  };
}

/** Whether a check refused its element. */
export function isReject(checked: object): checked is SourceReject {
  return 'reason' in checked;
}
