import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes COCO annotations and captions of `count` synthetic images; the same for the same count. */
export function writeSyntheticCoco(folder: string, count: number): { annotations: string; captions: string } {
  const images = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    width: 640,
    height: 480,
    file_name: `${index + 1}.jpg`,
  }));
  const annotations = images.flatMap(({ id }) =>
    Array.from({ length: 4 }, (_, index) => ({
      id: id * 4 + index,
      image_id: id,
      category_id: (index % 2) + 1,
      bbox: [(id * 31 + index * 57) % 500, (id * 17 + index * 91) % 360, 60 + (id % 40), 50 + index * 10],
      iscrowd: 0,
    })),
  );
  const categories = [
    { id: 1, name: 'person' },
    { id: 2, name: 'horse' },
  ];
  const texts = [
    'a man riding a brown horse',
    'two people standing next to a horse',
    'a horse with a woman on its back',
  ];
  const captions = Object.fromEntries(images.map(({ id }) => [id, [texts[id % 3], texts[(id + 1) % 3]]]));
  const files = { annotations: join(folder, 'instances_train2017.json'), captions: join(folder, 'captions.json') };
  writeFileSync(files.annotations, JSON.stringify({ images, annotations, categories }));
  writeFileSync(files.captions, JSON.stringify(captions));
  return files;
}
