import type { SentImage } from '../../captioners/resize-for-model.js';
import { dotsOf, LETTER } from '../../files/dot-letters.js';
import type { Frame, Region } from './regions.js';

const COLORS = ['#e6194b', '#3cb44b', '#4363d8', '#f58231', '#911eb4', '#008080', '#9a6324', '#800000'];
/** The height of a name, as a share of the longer side of the image. */
const NAME_HEIGHT = 0.03;

/** Draws the boxes and names of regions on an image. */
export async function drawMarks(sent: SentImage, regions: readonly Region[], frame: Frame): Promise<SentImage> {
  const { default: sharp } = await import('sharp');
  const { width, height } = sent;
  const dot = Math.max(1, Math.round((NAME_HEIGHT * Math.max(width, height)) / LETTER.height));
  const shapes = regions.map(({ id, box }, order) => {
    const color = COLORS[order % COLORS.length]!;
    const x = ((box[0] - frame[0]) / frame[2]) * width;
    const y = ((box[1] - frame[1]) / frame[3]) * height;
    const [w, h] = [(box[2] / frame[2]) * width, (box[3] / frame[3]) * height];
    const [wide, tall] = [dot * (LETTER.width * id.length + 1), dot * (LETTER.height + 1)];
    // Within the image, where the box begins.
    const left = Math.min(Math.max(0, x), width - wide);
    const top = Math.min(Math.max(0, y), height - tall);
    return [
      `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${color}" stroke-width="${2 * dot}"/>`,
      `<rect x="${left}" y="${top}" width="${wide}" height="${tall}" fill="${color}"/>`,
      ...[...dotsOf(id)].map(
        ([column, row]) =>
          `<rect x="${left + dot * (column + 1)}" y="${top + dot * (row + 1)}" width="${dot}" height="${dot}" fill="#fff"/>`,
      ),
    ].join('');
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
  const bytes = await sharp(sent.bytes)
    .composite([{ input: Buffer.from(svg) }])
    .jpeg({ quality: 90 })
    .toBuffer();
  return { bytes, mime: 'image/jpeg', width, height };
}
