import { dotsOf, LETTER, plainText } from '../../files/dot-letters.js';
import type { PixelSize } from '../../files/image-header.js';
import type { ImagePart, Pixels } from '../../files/image-part.js';
import type { Box } from '../../records/box.js';

/** One picture of a sheet: a relation with its two boxes. */
export interface Panel {
  /** Text above the picture. */
  readonly title: string;
  /** The part of the image that is shown, in pixels of the annotated size. */
  readonly part: ImagePart;
  /** The pixels of this part, of its `size`; null if the file cannot be read. */
  readonly pixels: Pixels | null;
  /** Drawn in yellow, solid. */
  readonly subject: Box;
  /** Drawn in cyan, dashed. */
  readonly object: Box;
}

type Color = readonly [red: number, green: number, blue: number];

const PAPER: Color = [255, 255, 255];
const INK: Color = [0, 0, 0];
const NO_IMAGE: Color = [128, 128, 128];
const SUBJECT: Color = [255, 220, 0];
const OBJECT: Color = [0, 230, 255];

const COLUMNS = 3;
/** The number of panels on a sheet. */
export const PANELS = 9;
/** The room for a picture, in pixels. */
const PICTURE = { width: 500, height: 400 } as const;
const GAP = 10;
const TITLE_LINES = 2;
const SCALE = 2;
const TITLE_HEIGHT = TITLE_LINES * LETTER.height * SCALE + 4;
const DASH = 8;
/** The share of the image's sides that is shown around the two boxes. */
const MARGIN = 0.3;

/** Draws up to `PANELS` relations on a sheet, in rows. */
export function drawSheet(panels: readonly Panel[]): Pixels {
  const columns = Math.min(COLUMNS, panels.length);
  const canvas = new Canvas(
    GAP + columns * (PICTURE.width + GAP),
    GAP + Math.ceil(panels.length / COLUMNS) * (TITLE_HEIGHT + PICTURE.height + GAP),
  );
  panels.forEach((panel, place) => {
    const x = GAP + (place % COLUMNS) * (PICTURE.width + GAP);
    const y = GAP + Math.floor(place / COLUMNS) * (TITLE_HEIGHT + PICTURE.height + GAP);
    titleLines(panel.title).forEach((line, row) => {
      canvas.text(x, y + row * LETTER.height * SCALE, line);
    });
    drawPicture(canvas, panel, x, y + TITLE_HEIGHT);
  });
  return canvas;
}

/** Breaks a title between words; what does not fit is cut. */
function titleLines(title: string): string[] {
  const most = Math.floor(PICTURE.width / (LETTER.width * SCALE));
  const lines = [''];
  for (const word of plainText(title).split(' ')) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= most) lines[lines.length - 1] = line;
    else lines.push(word.slice(0, most));
  }
  return lines.slice(0, TITLE_LINES);
}

/** Returns the part of an image that shows two boxes with a margin, and the size that it has on a sheet. */
export function partAround({ width, height }: PixelSize, a: Box, b: Box): ImagePart {
  const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  let left = clamp(Math.min(a[0], b[0]) - MARGIN * width, width);
  let top = clamp(Math.min(a[1], b[1]) - MARGIN * height, height);
  let right = clamp(Math.max(a[0] + a[2], b[0] + b[2]) + MARGIN * width, width);
  let bottom = clamp(Math.max(a[1] + a[3], b[1] + b[3]) + MARGIN * height, height);
  // Boxes outside the image.
  if (right - left < 1 || bottom - top < 1) [left, top, right, bottom] = [0, 0, width, height];
  const scale = Math.min(PICTURE.width / (right - left), PICTURE.height / (bottom - top));
  const scaled = (length: number) => Math.max(1, Math.floor(length * scale));
  return { left, top, right, bottom, size: { width: scaled(right - left), height: scaled(bottom - top) } };
}

function drawPicture(canvas: Canvas, { part, pixels, subject, object }: Panel, x: number, y: number): void {
  const { left, top, right, bottom, size } = part;
  if (pixels) canvas.paste(pixels, x, y);
  else canvas.fill(x, y, size.width, size.height, NO_IMAGE);
  const [fx, fy] = [size.width / (right - left), size.height / (bottom - top)];
  const onCanvas = ([bx, by, bw, bh]: Box): Box => [x + (bx - left) * fx, y + (by - top) * fy, bw * fx, bh * fy];
  const frame = { left: x, top: y, right: x + size.width, bottom: y + size.height };
  canvas.outline(onCanvas(object), frame, OBJECT, 'O', true);
  canvas.outline(onCanvas(subject), frame, SUBJECT, 'S', false);
}

/** The part of a canvas to which drawing is limited, in pixels. */
interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

class Canvas implements Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(3 * width * height).fill(PAPER[0]);
  }

  fill(x: number, y: number, width: number, height: number, color: Color): void {
    const [x0, x1] = [Math.max(0, Math.round(x)), Math.min(this.width, Math.round(x + width))];
    const [y0, y1] = [Math.max(0, Math.round(y)), Math.min(this.height, Math.round(y + height))];
    for (let row = y0; row < y1; row++)
      for (let column = x0; column < x1; column++) this.data.set(color, 3 * (row * this.width + column));
  }

  paste(image: Pixels, x: number, y: number): void {
    for (let row = 0; row < image.height; row++)
      this.data.set(
        image.data.subarray(3 * row * image.width, 3 * (row + 1) * image.width),
        3 * ((y + row) * this.width + x),
      );
  }

  text(x: number, y: number, text: string): void {
    for (const [dx, dy] of dotsOf(text)) this.fill(x + dx * SCALE, y + dy * SCALE, SCALE, SCALE, INK);
  }

  /** Draws a box within a frame, with a letter in its corner. */
  outline([x, y, w, h]: Box, frame: Frame, color: Color, letter: string, isDashed: boolean): void {
    const [left, right] = [Math.max(x, frame.left), Math.min(x + w, frame.right)];
    const [top, bottom] = [Math.max(y, frame.top), Math.min(y + h, frame.bottom)];
    const line = (lx: number, ly: number, width: number, height: number) => {
      const [from, length] = width > height ? [lx, width] : [ly, height];
      const step = isDashed ? 2 * DASH : length;
      for (let at = 0; at < length; at += step) {
        const part = Math.min(isDashed ? DASH : length, length - at);
        if (width > height) this.#stroke(from + at, ly, part, 3, color);
        else this.#stroke(lx, from + at, 3, part, color);
      }
    };
    line(left, top, right - left, 3);
    line(left, Math.max(top, bottom - 3), right - left, 3);
    line(left, top, 3, bottom - top);
    line(Math.max(left, right - 3), top, 3, bottom - top);
    // The letters of two equal boxes do not cover each other.
    const corner = letter === 'S' ? left + 4 : Math.max(left + 4, right - 4 - LETTER.width * SCALE);
    this.fill(corner, top + 4, LETTER.width * SCALE + 2, LETTER.height * SCALE, color);
    this.text(Math.round(corner) + 2, Math.round(top) + 5, letter);
  }

  /** Draws a bar with a dark edge, so that it is seen on any ground. */
  #stroke(x: number, y: number, width: number, height: number, color: Color): void {
    this.fill(x - 1, y - 1, width + 2, height + 2, INK);
    this.fill(x, y, width, height, color);
  }
}
