import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Vg150Contents, writeVg150 } from '../../scripts/scenes/vg150-files.js';
import { Vg150File } from '../../src/sources/vg150-file.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
let folders = 0;

async function write(contents: Partial<Vg150Contents> = {}) {
  const at = join(folder, String(folders++));
  mkdirSync(at);
  return writeVg150(at, { ...whole, ...contents });
}

const image: Vg150Contents['images'][number] = {
  id: 7,
  width: 512,
  height: 384,
  split: 2,
  objects: [
    { label: 2, box: [101, 101, 51, 51] },
    { label: 1, box: [1000, 700, 100, 200] },
  ],
  relations: [
    [0, 1, 3],
    [0, 1, 3],
    [1, 1, 1],
  ],
};
const whole: Vg150Contents = {
  objects: ['man', 'horse'],
  predicates: ['on', 'near', 'riding'],
  images: [
    { ...image, id: 5, split: 0, relations: [] },
    image,
    { ...image, id: 9, objects: [], relations: [] },
    { ...image, id: 11, width: 384, height: 512, relations: [] },
  ],
};

describe('Vg150File', () => {
  it('reads names, boxes and relations as the official loader does', async () => {
    const file = await Vg150File.open(await write());
    assert.deepEqual(file.objects, ['man', 'horse']);
    assert.deepEqual(file.predicates, ['on', 'near', 'riding']);
    assert.deepEqual([file.count(0), file.count(2)], [1, 2]);
    const [first, second, ...others] = [...file.images(2)];
    assert.deepEqual(others, []);
    assert.deepEqual(first, {
      id: 7,
      width: 512,
      height: 384,
      objects: [
        // 101 − 51 / 2 = 75.5 is cut to 75, and 75 + 51 = 126; half of both in pixels.
        { label: 2, box: [37.5, 37.5, 63, 63] },
        // Clipped to the last pixel.
        { label: 1, box: [475, 300, 511, 383] },
      ],
      relations: [
        { subject: 0, object: 1, predicate: 3 },
        { subject: 0, object: 1, predicate: 3 },
        { subject: 1, object: 1, predicate: 1 },
      ],
    });
    assert.deepEqual([second?.id, second?.width, second?.relations], [11, 384, []]);
  });

  it('leaves out the four damaged images of image_data.json', async () => {
    const paths = await write();
    const images = JSON.parse(readFileSync(paths.imageData, 'utf8')) as unknown[];
    writeFileSync(paths.imageData, JSON.stringify([{ image_id: 1592, width: 800, height: 600 }, ...images]));
    const file = await Vg150File.open(paths);
    assert.deepEqual(
      [...file.images(0)].map(({ id }) => id),
      [5],
    );
    writeFileSync(paths.imageData, JSON.stringify(images.slice(1)));
    await assert.rejects(Vg150File.open(paths), /has 4 images, but .*image_data\.json has 3 without the four damaged/);
  });

  it('names what is wrong with a file', async () => {
    const paths = await write();
    const other = await write({ objects: ['man'] });
    await assert.rejects(Vg150File.open(other), /'labels' has 2 at place 0, but the dictionary has 1 classes/);
    const empty = { ...image, objects: [{ label: 1, box: [10, 10, 0, 5] }] as const, relations: [] };
    await assert.rejects(
      Vg150File.open(await write({ images: [empty] })),
      /'boxes_1024' has \[10, 10, 0, 5\] in row 0/,
    );
    const foreign = await write({ images: [{ ...image, relations: [[0, 2, 1]] }, image] });
    const opened = await Vg150File.open(foreign);
    assert.throws(() => [...opened.images(2)], /image 7: relationship 0 is of the boxes 0 and 2, expected .* 0 to 1/);
    writeFileSync(
      join(folder, 'names.json'),
      '{"label_to_idx": {"man": 1, "horse": 3}, "predicate_to_idx": {"on": 1}}',
    );
    await assert.rejects(
      Vg150File.open({ ...paths, dicts: join(folder, 'names.json') }),
      /'label_to_idx' numbers 'horse' 3, expected each number from 1 to 2 once/,
    );
  });

  it('says that a file is not HDF5, damaged, or lacks a data set', async () => {
    const paths = await write();
    await assert.rejects(Vg150File.open({ ...paths, graphs: paths.dicts }), /with-attri\.json: is not an HDF5 file/);
    const bytes = readFileSync(paths.graphs);
    const cut = join(folder, 'cut.h5');
    writeFileSync(cut, bytes.subarray(0, 3000));
    await assert.rejects(Vg150File.open({ ...paths, graphs: cut }), /cut\.h5: cannot be read as HDF5/);
    const { File, ready } = await import('h5wasm/node');
    await ready;
    const lacking = join(folder, 'lacking.h5');
    const file = new File(lacking, 'w');
    file.create_dataset({ name: 'labels', data: Int32Array.of(1) });
    file.close();
    await assert.rejects(Vg150File.open({ ...paths, graphs: lacking }), /has no data set 'boxes_1024', found labels/);
    writeFileSync(join(folder, 'float.h5'), '');
    const float = new File(join(folder, 'float.h5'), 'w');
    float.create_dataset({ name: 'boxes_1024', data: Float64Array.of(1, 2, 3.5, 4), shape: [1, 4] });
    float.close();
    await assert.rejects(
      Vg150File.open({ ...paths, graphs: join(folder, 'float.h5') }),
      /'boxes_1024' has 3\.5 at place 2, expected whole numbers/,
    );
  });
});
