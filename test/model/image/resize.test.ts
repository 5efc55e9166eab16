import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import sharp from 'sharp';
import { readImage } from '../../../src/model/image/read-image.js';
import { normalize, type RgbImage, resize } from '../../../src/model/image/resize.js';
import { targetSize } from '../../../src/model/image/target-size.js';
import { temporaryFolder } from '../../support/folders.js';
import { assertClose } from '../../support/tensors.js';

/** Deterministic test image. */
function picture(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) data[at++] = (x * 7 + y * 13 + c * 31) ^ (x * y);
  return { data, width, height };
}

/** Reference implementation of Pillow's filter: one axis after the other, one pixel at a time. */
function referenceResize(image: RgbImage, width: number, height: number): Uint8Array {
  const axis = (
    data: Uint8Array,
    from: number,
    to: number,
    others: number,
    place: (other: number, along: number, length: number) => number,
  ) => {
    const result = new Uint8Array(others * to * 3);
    const scale = from / to;
    const spread = Math.max(scale, 1);
    for (let cell = 0; cell < to; cell++) {
      const center = (cell + 0.5) * scale;
      const first = Math.max(0, Math.trunc(center - spread + 0.5));
      const end = Math.min(from, Math.trunc(center + spread + 0.5));
      const shares = Array.from({ length: end - first }, (_, k) =>
        Math.max(0, 1 - Math.abs((k + first - center + 0.5) * (1 / spread))),
      );
      const sum = shares.reduce((all, part) => all + part, 0);
      const weights = shares.map((part) => Math.trunc(0.5 + (part / sum) * 2 ** 22));
      for (let other = 0; other < others; other++)
        for (let channel = 0; channel < 3; channel++) {
          const total = weights.reduce(
            (all, weight, k) => all + weight * data[3 * place(other, first + k, from) + channel]!,
            2 ** 21,
          );
          result[3 * place(other, cell, to) + channel] = Math.min(255, Math.floor(total / 2 ** 22));
        }
    }
    return result;
  };
  const wide =
    width === image.width
      ? image.data
      : axis(image.data, image.width, width, image.height, (row, x, length) => row * length + x);
  return height === image.height ? wide : axis(wide, image.height, height, width, (x, row) => row * width + x);
}

describe('images', () => {
  // The digests are those of Pillow 13.0.0: Image.resize((W, H), Image.BILINEAR).tobytes().
  for (const [width, height, toWidth, toHeight, digest] of [
    [40, 30, 27, 19, '31b57e55c25e2dcd4c3950501bb15aa4f669d573bf842e4254908261a2a50a31'],
    [30, 40, 61, 85, '6f690453c32823f95e2a23aa16b48572c602c5dbdc482d389202e5e4f87646e4'],
    [17, 23, 17, 5, '65b9665d0e1659152068579fc7b750ac5bbefc3e03416feb2540171708fd93ca'],
    [9, 5, 33, 5, '36dd95bffa6817a5776f23e92ea161cb476d07efac7389a10c4c063c8b016bf5'],
    [64, 48, 7, 3, '95f50056f606aeafe0f7b6926669413d6b631472edc2ee4e8f013491204bb588'],
  ] as const)
    it(`are resized from ${width} × ${height} to ${toWidth} × ${toHeight} with the same bytes as Pillow`, () => {
      const { data } = resize(picture(width, height), { width: toWidth, height: toHeight });
      assert.equal(createHash('sha256').update(data).digest('hex'), digest);
    });

  // Larger than one band of the kernel, long and thin, a single pixel, and no change of size.
  for (const [width, height, toWidth, toHeight] of [
    [1201, 803, 333, 250],
    [640, 480, 1066, 800],
    [3, 4001, 5, 47],
    [4001, 3, 47, 2],
    [1, 1, 16, 16],
    [50, 40, 1, 1],
    [20, 30, 20, 30],
  ] as const)
    it(`are resized from ${width} × ${height} to ${toWidth} × ${toHeight} with the same bytes as the reference implementation`, () => {
      const image = picture(width, height);
      const { data, ...size } = resize(image, { width: toWidth, height: toHeight });
      assert.deepEqual(size, { width: toWidth, height: toHeight });
      assert.ok(Buffer.compare(data, referenceResize(image, toWidth, toHeight)) === 0);
    });

  it('are resized to the official sizes', () => {
    const sizes = (width: number, height: number) => {
      const size = targetSize({ width, height });
      return [size.width, size.height];
    };
    assert.deepEqual(sizes(640, 480), [1066, 800]);
    assert.deepEqual(sizes(480, 640), [800, 1066]);
    assert.deepEqual(sizes(500, 375), [1066, 800]);
    assert.deepEqual(sizes(640, 427), [1199, 800]);
    assert.deepEqual(sizes(333, 500), [800, 1201]);
    assert.deepEqual(sizes(1024, 300), [1334, 391]);
    assert.deepEqual(sizes(800, 800), [800, 800]);
  });

  it('are normalized channel by channel', () => {
    const values = normalize({ data: Uint8Array.of(0, 128, 255), width: 1, height: 1 });
    assertClose(values, [-2.117904, 0.205182, 2.64], 1e-5);
  });

  it('are decoded in the order of pixels that has the annotated proportions', async () => {
    const path = join(temporaryFolder(), 'turned.png');
    const { data, width, height } = picture(26, 14);
    await sharp(data, { raw: { width, height, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toFile(path);
    const sizeOf = async (options: Parameters<typeof readImage>[1]) => {
      const image = await readImage(path, options);
      return [image.width, image.height];
    };
    assert.deepEqual(await sizeOf({ annotated: { width: 14, height: 26 } }), [14, 26]);
    assert.deepEqual(await sizeOf({ annotated: { width: 52, height: 28 } }), [26, 14]);
    assert.deepEqual(await sizeOf({ compat: true }), [26, 14]);
    assert.deepEqual(await sizeOf({ annotated: { width: 14, height: 26 }, compat: true }), [26, 14]);
    await assert.rejects(sizeOf({ annotated: { width: 100, height: 100 } }), {
      reason: 'image-size-differs',
      message: `${path}: the image has 14 x 26 pixels, expected the proportions of the annotations, 100 x 100`,
    });
  });

  it('are decoded upright, including gray and transparent ones', async () => {
    const folder = temporaryFolder();
    const { data, width, height } = picture(13, 7);
    const raw = { raw: { width, height, channels: 3 as const } };
    const path = (name: string) => join(folder, name);
    await sharp(data, raw).png().toFile(path('plain.png'));
    await sharp(data, raw).withMetadata({ orientation: 6 }).png().toFile(path('turned.png'));
    await sharp(data, raw).ensureAlpha(0.5).png().toFile(path('clear.png'));
    for (const name of ['plain.png', 'clear.png'])
      assert.deepEqual({ ...(await readImage(path(name))), data: 0 }, { width, height, data: 0 }, name);
    const turned = await readImage(path('turned.png'));
    assert.deepEqual([turned.width, turned.height], [height, width]);
    // Orientation 6: the stored picture is turned clockwise, so that its lower left corner is the upper left one.
    const corner = (height - 1) * width * 3;
    assert.deepEqual([...turned.data.subarray(0, 3)], [...data.subarray(corner, corner + 3)]);
    assert.deepEqual(new Uint8Array((await readImage(path('plain.png'))).data), data);
    const gray = Uint8Array.from({ length: 6 }, (_, k) => 40 * k);
    await sharp(gray, { raw: { width: 3, height: 2, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(path('gray.png'));
    assert.deepEqual(
      [...(await readImage(path('gray.png'))).data],
      [...gray].flatMap((value) => [value, value, value]),
    );
  });

  it('that are missing or unreadable are rejected with the reason', async () => {
    await assert.rejects(readImage('nowhere.png'), { reason: 'image-missing' });
    await assert.rejects(readImage('package.json'), { reason: 'image-unreadable' });
  });
});
