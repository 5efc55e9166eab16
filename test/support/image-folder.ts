import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Image } from '../../src/index.js';
import { temporaryFolder } from './folders.js';

/** Makes a folder of small, distinct JPEG images named `1.jpg`, `2.jpg` and so on. */
export async function imageFolder(count: number, size = 32): Promise<{ folder: string; images: Image[] }> {
  const folder = temporaryFolder();
  const images = Array.from({ length: count }, (_, index): Image => {
    const id = index + 1;
    return { id, file: `${id}.jpg`, width: size, height: size, dataset: 'test', split: 'train' };
  });
  for (const { id, file } of images) {
    const number = Number(id);
    const background = { r: number % 256, g: (number >> 8) % 256, b: (number * 7) % 256 };
    // Similar colors can give equal files; the comment makes them differ.
    const jpeg = await sharp({ create: { width: size, height: size, channels: 3, background } })
      .jpeg()
      .toBuffer();
    await writeFile(join(folder, file), Buffer.concat([jpeg, Buffer.from(`image ${number}`)]));
  }
  return { folder, images };
}
