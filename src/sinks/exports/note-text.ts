import type { NoteCount } from './note-counts.js';

/** What an export says about something that its format cannot carry as it is. */
const TEXTS: Readonly<Record<string, (count: string, example: string) => string>> = {
  'category-not-listed': (count, example) =>
    `${count} objects of categories that --categories does not list were dropped, such as '${example}'`,
  'predicate-not-listed': (count, example) =>
    `${count} relations that --predicates does not list were dropped, such as '${example}'`,
  'relation-without-object': (count, example) =>
    `${count} relations without an object were dropped, such as '${example}': the format has only pairs`,
  'image-id-renumbered': (count, example) =>
    `${count} images have new numbers, because the format needs unique whole numbers and ids such as '${example}' are not`,
  'image-missing': (count, example) => `${count} images were not found in the image folder, such as ${example}`,
  'image-too-large': (count, example) => `${count} images are larger than 64 MiB and were left out, such as ${example}`,
  'image-not-readable': (count, example) =>
    `${count} files are not JPEG, PNG, WebP, AVIF, TIFF or GIF images and were left out, such as ${example}`,
  'image-not-shown': (count, example) =>
    `${count} images of the page have boxes without the picture, since the file is missing, unreadable or outside the image folder, such as ${example}`,
  'image-outside-folder': (count, example) =>
    `${count} images lie outside the image folder and were not read, such as ${example}`,
  'unsafe-path': (count, example) =>
    `${count} images have paths that leave the image folder and were not read, such as ${example}`,
  'image-copied': (count, example) =>
    `${count} images of shards or a store were copied, since a link cannot lead to them, such as ${example}`,
  'image-changed': (count, example) =>
    `${count} images changed while the export read them and were left out, such as ${example}`,
  'image-unreadable': (count, example) =>
    `${count} images may not be read from the store and were left out, such as ${example}`,
  'ambiguous-path': (count, example) =>
    `${count} images have a path that several shards have, and were left out, such as ${example}`,
  'image-name-repeated': (count, example) => `${count} images share their file with another one, such as ${example}`,
  'image-without-objects': (count, example) => `${count} images without objects were left out, such as ${example}`,
  'file-name-lost': (count, example) =>
    `${count} images have a file name that the format derives from their number otherwise, such as ${example}`,
  'object-id-repeated': (count, example) =>
    `${count} objects have the id of another one of their image and got a new one, such as '${example}'`,
  'split-as-property': (_, example) =>
    `the splits (${example}) are a property of the images, since the format has one set of files`,
  'split-lost': (_, example) =>
    `the images are not divided into ${example}, since the format has one set of files without splits`,
  'category-not-in-coco': (count, example) =>
    `${count} objects whose category is not one of COCO's 80 were dropped with their relations, such as '${example}'`,
  'subject-not-person': (count, example) =>
    `${count} relations whose subject is not a person were dropped, such as '${example}'`,
  'predicate-in-base-form': (count, example) =>
    `${count} predicates were written in their base form, such as ${example}`,
  'predicate-not-in-list': (count, example) =>
    `${count} relations whose predicate is not a verb of the set were dropped, such as '${example}'`,
  'combination-not-in-hico': (count, example) =>
    `${count} relations that are none of HICO-DET's 600 combinations were dropped, such as '${example}'`,
  'verb-without-object': (count, example) =>
    `${count} relations were dropped because V-COCO's verb has no object, such as '${example}'`,
  'image-without-relations': (count, example) => `${count} images without relations have no row, such as ${example}`,
  'image-skipped-by-readers': (count, example) =>
    `${count} images with numbers that readers of VG150 skip were left out, such as ${example}`,
};

/** Returns a line about something that a format cannot carry as it is. */
export function noteText(reason: string, { count, example }: NoteCount): string {
  const text = TEXTS[reason];
  const number = count.toLocaleString('en-US');
  return text ? `${text(number, example)} (${reason})` : `${reason}: ${number}, such as '${example}'`;
}
