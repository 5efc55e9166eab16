import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Image } from '../../src/index.js';
import { temporaryFolder } from './folders.js';

/** A folder of small JPEG images, no two alike, `1.jpg` and on. */
export async function imageFolder(count: number, size = 32): Promise<{ folder: string; images: Image[] }> {
  const folder = temporaryFolder();
  const images = Array.from({ length: count }, (_, index): Image => {
    const id = index + 1;
    return { id, file: `${id}.jpg`, width: size, height: size, dataset: 'test', split: 'train' };
  });
  for (const { id, file } of images) {
    const number = Number(id);
    const background = { r: number % 256, g: (number >> 8) % 256, b: (number * 7) % 256 };
    // Near colours can give equal files; the comment keeps them apart.
    const jpeg = await sharp({ create: { width: size, height: size, channels: 3, background } })
      .jpeg()
      .toBuffer();
    await writeFile(join(folder, file), Buffer.concat([jpeg, Buffer.from(`image ${number}`)]));
  }
  return { folder, images };
}
