import type { SentImage } from '../../captioners/resize-for-model.js';
import type { Frame, Region } from './regions.js';

/** Digits of 3 × 5 points by rows, so that no font is needed. */
const DIGITS = [
  '111101101101111',
  '010110010010111',
  '111001111100111',
  '111001111001111',
  '101101111001001',
  '111100111001111',
  '111100111101111',
  '111001001010010',
  '111101111101111',
  '111101111001111',
];
const COLORS = ['#e6194b', '#3cb44b', '#4363d8', '#f58231', '#911eb4', '#008080', '#9a6324', '#800000'];
/** The height of a number, as a share of the longer side of the image. */
const NUMBER_HEIGHT = 0.03;

/** Draws the boxes and numbers of regions on an image. */
export async function drawMarks(sent: SentImage, regions: readonly Region[], frame: Frame): Promise<SentImage> {
  const { default: sharp } = await import('sharp');
  const { width, height } = sent;
  const point = Math.max(2, Math.round((NUMBER_HEIGHT * Math.max(width, height)) / 5));
  const shapes = regions.map(({ id, box }, order) => {
    const color = COLORS[order % COLORS.length]!;
    const x = ((box[0] - frame[0]) / frame[2]) * width;
    const y = ((box[1] - frame[1]) / frame[3]) * height;
    const [w, h] = [(box[2] / frame[2]) * width, (box[3] / frame[3]) * height];
    // Within the image, where the box begins.
    const left = Math.min(Math.max(0, x), width - point * (4 * id.length + 1));
    const top = Math.min(Math.max(0, y), height - 7 * point);
    return [
      `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${color}" stroke-width="${Math.max(1, point / 2)}"/>`,
      `<rect x="${left}" y="${top}" width="${point * (4 * id.length + 1)}" height="${7 * point}" fill="${color}"/>`,
      ...[...id].map((digit, place) => digitShape(Number(digit), left + point * (1 + 4 * place), top + point, point)),
    ].join('');
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
  const bytes = await sharp(sent.bytes)
    .composite([{ input: Buffer.from(svg) }])
    .jpeg({ quality: 90 })
    .toBuffer();
  return { bytes, mime: 'image/jpeg', width, height };
}

function digitShape(digit: number, left: number, top: number, point: number): string {
  return [...DIGITS[digit]!]
    .map((set, index) =>
      set === '1'
        ? `<rect x="${left + (index % 3) * point}" y="${top + Math.floor(index / 3) * point}" width="${point}" height="${point}" fill="#fff"/>`
        : '',
    )
    .join('');
}
