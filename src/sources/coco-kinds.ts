import { InputError } from '../errors.js';
import { fieldsOf } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';

const expected = "expected an object with 'images', 'annotations' and 'categories'";

/**
 * Checks that a file is not a JSON list, which people pass by mistake.
 * @throws InputError that names what the list contains
 */
export async function checkIsNotList(file: string): Promise<void> {
  const kind = await kindOfList(file);
  if (kind !== undefined) throw new InputError(file, `${kind}, ${expected}`);
}

/** Names what a JSON list contains, for messages; undefined if the file is not a list. */
export async function kindOfList(file: string): Promise<string | undefined> {
  try {
    for await (const { values } of streamJson(file, { layout: 'list' })) {
      const fields = fieldsOf(values[0]);
      if ('category_id' in fields) {
        return 'the file is a list of detections (results of a detector), without images and categories';
      }
      if ('caption' in fields) return 'the file is a list of captions';
      if ('objects' in fields || 'relationships' in fields) return 'the file is in the format of Visual Genome';
      return 'the file is a list';
    }
  } catch {
    // The caller reads the file as an object and reports what is wrong.
  }
  return undefined;
}

/** Describes the format of an annotation that belongs to another kind of file in COCO's format. */
export function otherKindOfAnnotation(annotation: unknown): string | undefined {
  const { category_id: category, bbox, segments_info: segments, caption } = fieldsOf(annotation);
  if (category !== undefined || bbox !== undefined) return undefined;
  if (segments !== undefined) {
    return "the annotations have 'segments_info': a panoptic file, expected instances with 'category_id' and 'bbox'";
  }
  if (caption !== undefined) {
    return "the annotations have a 'caption': a file of captions, expected instances with 'category_id' and 'bbox'";
  }
  return undefined;
}
