import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { ImageFiles } from '../../src/captioners/image-files.js';
import { checkResizeOptions, resizeForModel } from '../../src/captioners/resize-for-model.js';
import { readImageHeader } from '../../src/files/image-header.js';
import { imageFormat } from '../../src/files/open-image.js';
import { readImage } from '../../src/model/image/read-image.js';
import type { Image } from '../../src/records/image.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
const expected = 'expected JPEG, PNG, WebP, AVIF, TIFF or GIF';

/** Gives a file to each function that opens images, and returns their messages. */
async function messages(name: string, content: string | Buffer): Promise<readonly (string | null)[]> {
  writeFileSync(join(folder, name), content);
  const image: Image = { id: 1, file: name, width: 20, height: 10, dataset: 'test', split: '' };
  const messageOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      ({ message }: Error) => message,
    );
  const options = checkResizeOptions('test', {});
  return [
    await messageOf(readImage(join(folder, name))),
    await messageOf(
      new ImageFiles('test', folder).read(image).then((file) => resizeForModel('test', file, image, options)),
    ),
    (await readImageHeader(join(folder, name))) && 'a header',
  ];
}

/** Returns a TIFF file with one row of black pixels. */
function rowOf(width: number): Buffer {
  const strip = deflateSync(Buffer.alloc(width));
  const fields = [
    [256, 4, width],
    [257, 4, 1],
    [258, 3, 8],
    [259, 3, 8],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, 1],
    [279, 4, strip.length],
  ];
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  directory.writeUInt16LE(fields.length, 0);
  for (const [k, [tag, type, value]] of fields.entries()) {
    directory.writeUInt16LE(tag!, 2 + 12 * k);
    directory.writeUInt16LE(type!, 4 + 12 * k);
    directory.writeUInt32LE(1, 6 + 12 * k);
    directory.writeUInt32LE(value!, 10 + 12 * k);
  }
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  const padding = Buffer.alloc(strip.length % 2);
  header.writeUInt32LE(8 + strip.length + padding.length, 4);
  return Buffer.concat([header, strip, padding, directory]);
}

describe('Image files', () => {
  it('are read in six formats, by their content, whatever their names are', async () => {
    for (const format of formats) {
      const file = join(folder, `${format}.jpg`);
      await sharp({ create: { width: 20, height: 10, channels: 3, background: '#f00' } })
        .toFormat(format)
        .toFile(file);
      assert.equal(imageFormat(readFileSync(file)), format);
      const { width, height } = await readImage(file);
      assert.deepEqual([width, height], [20, 10], format);
      assert.deepEqual(await messages('a.jpg', readFileSync(file)), [null, null, 'a header'], format);
    }
  });

  it('are refused if their content is of another kind: no such decoder sees them', async () => {
    const filters = '<feTurbulence baseFrequency="9" numOctaves="9"/><feGaussianBlur stdDeviation="99"/>'.repeat(30);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8000" height="8000"><filter id="f">${filters}</filter><rect width="8000" height="8000" filter="url(#f)"/></svg>`;
    const heic = Buffer.concat([Buffer.from('\0\0\0\x18ftyp'), Buffer.from('heic\0\0\0\0mif1heic'), Buffer.alloc(99)]);
    for (const [content, kind] of [
      [svg, 'SVG, HTML or XML'],
      [`\ufeff \n<?xml version="1.0"?>${svg}`, 'SVG, HTML or XML'],
      ['%PDF-1.7\n', 'a PDF file'],
      [heic, 'a HEIC image or a film'],
      ['BM\0\0', 'a BMP image'],
      ['\x1f\x8b', 'not an image that is read'],
      ['P6 1 1 255\nabc', 'not an image that is read'],
      ['', 'empty'],
    ] as const) {
      assert.deepEqual(await messages('b.jpg', content), [
        `${join(folder, 'b.jpg')} is ${kind}, ${expected}`,
        `test: image 1: b.jpg is ${kind}, ${expected}`,
        null,
      ]);
    }
  });

  it('are refused by their header if a side is too long', async () => {
    const problem = 'has 90000000 x 1 pixels, expected sides of at most 65535';
    assert.deepEqual(await messages('c.jpg', rowOf(90_000_000)), [
      `${join(folder, 'c.jpg')} ${problem}`,
      `test: image 1: c.jpg ${problem}`,
      null,
    ]);
    assert.deepEqual(await messages('c.jpg', rowOf(60_000)), [null, null, 'a header']);
  });

  it('are refused by their header if they have too many pixels', async () => {
    const file = join(folder, 'd.png');
    await sharp({ create: { width: 10, height: 10, channels: 3, background: '#f00' } }).toFile(file);
    const bytes = readFileSync(file);
    const crcOf = (await import('node:zlib')).crc32;
    bytes.writeUInt32BE(30_000, 16);
    bytes.writeUInt32BE(20_000, 20);
    bytes.writeUInt32BE(crcOf(bytes.subarray(12, 29)), 29);
    assert.deepEqual(await messages('d.png', bytes), [
      `${file} has 30000 x 20000 pixels, expected at most 100000000 in total`,
      'test: image 1: d.png has 30000 x 20000 pixels, expected at most 200000000 in total',
      'a header',
    ]);
  });
});
