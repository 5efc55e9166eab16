import type { SentImage } from '../../captioners/resize-for-model.js';
import type { Image } from '../../records/image.js';
import { drawMarks } from './draw-marks.js';
import { coordinatesText, type Frame, type Region, regionText, type Shown } from './regions.js';

/** Returns the instruction of a question about the whole image, its list of regions, and what is drawn on the image. */
export function describeRegions(prompt: string, regions: readonly Region[], image: Image, shown: Shown) {
  const frame: Frame = [0, 0, image.width, image.height];
  const boxes =
    shown.marks === 'drawn'
      ? 'drawn on the image with their names'
      : `each with its box ${coordinatesText(shown.coordinates, 'image')}`;
  return {
    key: regions.map(({ id, label, box }) => [id, label, box]),
    text: ([sent]: readonly SentImage[]): string =>
      [prompt, `Regions, ${boxes}:`, ...regions.map((region) => regionText(region, frame, sent!, shown))].join('\n'),
    ...(shown.marks === 'drawn' && { draw: (sent: SentImage) => drawMarks(sent, regions, frame) }),
  };
}
