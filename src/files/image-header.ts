import { type ImageSource, imageContent } from './image-stores/find-image-file.js';
import { maxImageSide, openImage } from './open-image.js';

/** Width and height in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** The size of an image file. */
export interface ImageHeader {
  /** The size of the pixels in the file. */
  readonly stored: PixelSize;
  /** The size after the rotation that the EXIF orientation asks for. */
  readonly upright: PixelSize;
  /** The EXIF orientation, from 1 to 8; 1 if the file has none. */
  readonly orientation: number;
}

/** How the pixels of a file are used: rotated as the EXIF orientation asks for, or as they are. */
export type PixelOrder = 'upright' | 'stored';

/** Bytes at the start of a stored image that mostly contain its size. */
const START = 64 << 10;

/**
 * Reads the size of an image from its file or content; null if it is not a readable image.
 * @throws as `StoredImage.read`, for an image in a shard or store
 */
export async function readImageHeader(image: ImageSource | Buffer): Promise<ImageHeader | null> {
  if (typeof image === 'string' || Buffer.isBuffer(image)) return headerOf(image);
  const header = await headerOf(await image.readStart(START));
  return header || image.bytes <= START ? header : headerOf(await imageContent(image));
}

async function headerOf(image: string | Buffer): Promise<ImageHeader | null> {
  const found = await openImage(image, { maxPixels: maxImageSide ** 2 }).catch(() => null);
  return found && imageHeader(found.header);
}

/** Returns the header of an image from the library's metadata. */
export function imageHeader(found: PixelSize & { readonly orientation?: number | undefined }): ImageHeader {
  const { width, height, orientation = 1 } = found;
  const stored = { width, height };
  return { stored, upright: orientation >= 5 ? { width: height, height: width } : stored, orientation };
}

/**
 * Returns in which order the pixels of a file belong to boxes that were drawn on an image of the annotated size: upright,
 * or as stored if only then the sizes agree. Null if they agree in neither order.
 */
export function pixelOrder(annotated: PixelSize, { stored, upright }: ImageHeader): PixelOrder | null {
  if (sizesAgree(annotated, upright)) return 'upright';
  return sizesAgree(annotated, stored) ? 'stored' : null;
}

/** Tolerated difference of two aspect ratios, besides half a pixel on each side. */
const tolerance = 0.01;

/** Returns whether two sizes are those of the same image, one of them scaled and rounded to whole pixels. */
export function sizesAgree(a: PixelSize, b: PixelSize): boolean {
  const ratio = (a.width * b.height) / (a.height * b.width);
  const rounding = 0.5 / Math.min(a.width, b.width) + 0.5 / Math.min(a.height, b.height);
  return Math.abs(ratio - 1) <= tolerance + rounding;
}
