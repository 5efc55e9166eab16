import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { fieldsOf, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Id } from '../records/image.js';
import type { SourceContext } from '../records/ports.js';

/**
 * Checks that no image id occurs in two of several files, as in the splits of a data set: their images, captions and
 * outputs could not be told apart. Reads only the start of a file whose `images` come first.
 * @throws InputError that names the two files, or if a file cannot be read
 */
export async function checkNoSharedIds(files: readonly string[], context: SourceContext): Promise<void> {
  if (files.length < 2) return;
  const index = new IdIndex();
  /** The number of ids in the index after each file. */
  const ends: number[] = [];
  for (const file of files) {
    const before = index.size;
    let shared = 0;
    let first: { readonly id: Id; readonly file: string } | undefined;
    for await (const id of imageIds(file, context)) {
      const ordinal = index.get(id);
      if (ordinal === undefined) index.add(id);
      else if (ordinal < before) {
        shared++;
        first ??= { id, file: files[ends.findIndex((end) => ordinal < end)] as string };
      }
    }
    if (first) {
      throw new InputError(
        file,
        `${shared} image ids are also in ${nameBeside(first.file, file)}, the first is ${first.id}: ` +
          'run each file separately, with its own captions and output folder',
      );
    }
    ends.push(index.size);
  }
}

/** Returns the base name of a file, or its path if the other file is called the same. */
function nameBeside(file: string, other: string): string {
  return basename(file) === basename(other) ? file : basename(file);
}

async function* imageIds(file: string, { signal }: SourceContext): AsyncGenerator<Id> {
  let hasImages = false;
  for await (const { section, values } of streamJson(file, {
    layout: ['images', 'annotations'],
    required: [],
    skippedKeys: ['segmentation', 'keypoints', 'segments_info', 'bbox'],
    signal,
  })) {
    if (section === 'images') hasImages = true;
    else if (hasImages) return;
    else continue;
    for (const value of values) {
      const id = readId(fieldsOf(value)['id']);
      if (id !== undefined) yield id;
    }
  }
}
