import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** An image to write in VG150's form. */
export interface Vg150SourceImage {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  /** 0 for training, 2 for testing. */
  readonly split: number;
  /** The number of the class from 1, and the box as the file has it: center, width and height where the longer side is 1024. */
  readonly objects: readonly { readonly label: number; readonly box: readonly [number, number, number, number] }[];
  /** Subject and object as indexes of the image's objects, and the number of the predicate from 1. */
  readonly relations: readonly (readonly [number, number, number])[];
}

/** The contents of VG150's files. */
export interface Vg150Contents {
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
  readonly images: readonly Vg150SourceImage[];
}

/** The paths of VG150's files. */
export interface Vg150Paths {
  readonly graphs: string;
  readonly dicts: string;
  readonly imageData: string;
}

/** Writes `VG-SGG-with-attri.h5`, its dictionary and `image_data.json` into an existing folder, in the official form. */
export async function writeVg150(folder: string, { objects, predicates, images }: Vg150Contents): Promise<Vg150Paths> {
  const paths = {
    graphs: join(folder, 'VG-SGG-with-attri.h5'),
    dicts: join(folder, 'VG-SGG-dicts-with-attri.json'),
    imageData: join(folder, 'image_data.json'),
  };
  writeFileSync(
    paths.dicts,
    JSON.stringify({ ...dictionary('label', objects), ...dictionary('predicate', predicates) }),
  );
  writeFileSync(
    paths.imageData,
    JSON.stringify(images.map(({ id, width, height }) => ({ image_id: id, width, height }))),
  );
  const boxes = images.flatMap((image) => image.objects);
  const relations = images.flatMap((image) => image.relations);
  const boxRanges = ranges(images.map((image) => image.objects.length));
  const relationRanges = ranges(images.map((image) => image.relations.length));
  const firstBox = images.map((_, k) => boxRanges.first[k]!);
  const subjects = images.flatMap((image, k) =>
    image.relations.flatMap(([subject, object]) => [subject + firstBox[k]!, object + firstBox[k]!]),
  );
  const { File, ready } = await import('h5wasm/node');
  await ready;
  const file = new File(resolve(paths.graphs), 'w');
  const write = (name: string, data: readonly number[], columns?: number) =>
    file.create_dataset({
      name,
      data: Int32Array.from(data),
      shape: columns === undefined ? [data.length] : [data.length / columns, columns],
    });
  write(
    'boxes_1024',
    boxes.flatMap(({ box }) => box),
    4,
  );
  write(
    'labels',
    boxes.map(({ label }) => label),
    1,
  );
  write('relationships', subjects, 2);
  write(
    'predicates',
    relations.map(([, , predicate]) => predicate),
    1,
  );
  write('img_to_first_box', boxRanges.first);
  write('img_to_last_box', boxRanges.last);
  write('img_to_first_rel', relationRanges.first);
  write('img_to_last_rel', relationRanges.last);
  write(
    'split',
    images.map(({ split }) => split),
  );
  file.close();
  return paths;
}

const dictionary = (kind: string, names: readonly string[]) => ({
  [`${kind}_to_idx`]: Object.fromEntries(names.map((name, k) => [name, k + 1])),
  [`idx_to_${kind}`]: Object.fromEntries(names.map((name, k) => [k + 1, name])),
});

/** Returns the first and the last row of each image, both −1 for an image without rows. */
function ranges(counts: readonly number[]) {
  let next = 0;
  const first = counts.map((count) => {
    const start = next;
    next += count;
    return count === 0 ? -1 : start;
  });
  return { first, last: counts.map((count, k) => (count === 0 ? -1 : first[k]! + count - 1)) };
}
