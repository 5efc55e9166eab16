import { open } from 'node:fs/promises';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { RelflowError } from '../errors.js';

/** A kind of image that is read. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif';

/** The formats of images that are read, for messages. */
const imageFormats = 'JPEG, PNG, WebP, AVIF, TIFF or GIF';

/** The maximum width and height of an image file in pixels, which is also JPEG's. */
export const maxImageSide = 65_535;

/** The maximum time for decoding an image and changing its size, in seconds. */
const maxSeconds = 30;

/** The number of bytes at the start of a file that tell its format. */
const startBytes = 32;

/** Reports an image that is not decoded. */
export class ImageError extends RelflowError {
  /** @param problem what was found and what was expected, such as `is an SVG image, expected …` */
  constructor(problem: string) {
    super('bad-image', problem);
  }
}

/** Returns what a decoder says about a damaged image, cut to a usual length: it may list thousands of warnings. */
export function decoderMessage(error: unknown): string {
  return (error as Error).message.slice(0, 300);
}

/** Options of `openImage`. */
export interface OpenImageOptions extends Omit<SharpOptions, 'limitInputPixels'> {
  /** The maximum number of pixels. */
  readonly maxPixels: number;
}

/** Returns the format of an image by the first bytes of its content; null if it is none of those that are read. */
export function imageFormat(content: Uint8Array): ImageFormat | null {
  const start = Buffer.from(content.subarray(0, startBytes)).toString('latin1');
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'webp';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'gif';
  if (/^(?:II[*+]\0|MM\0[*+])/.test(start)) return 'tiff';
  // The major brand, or one of the compatible brands: the brand of HEIC would go to another decoder.
  return start.startsWith('ftyp', 4) && /avi[fs]/.test(start.slice(8)) ? 'avif' : null;
}

/** Returns the format of an image file as `imageFormat`. @throws the system's error if the file cannot be read */
export async function imageFileFormat(path: string): Promise<ImageFormat | null> {
  return imageFormat(await startOf(path));
}

/**
 * Opens an image, given its path or content, and reads its header. The content alone decides the format, so that no other
 * decoder, such as that of SVG, ever reads a file; sides, pixels and the time of decoding are bounded.
 * @throws ImageError if the format is none of those that are read, or a side or the number of pixels is too large; the
 * library's error if the header is damaged; the system's error if the file cannot be read
 */
export async function openImage(
  source: string | Buffer,
  { maxPixels, ...options }: OpenImageOptions,
): Promise<{ readonly image: Sharp; readonly header: Metadata }> {
  const start = typeof source === 'string' ? await startOf(source) : source.subarray(0, startBytes);
  if (imageFormat(start) === null) throw new ImageError(`is ${otherKind(start)}, expected ${imageFormats}`);
  // Imported here because it loads slowly and few runs need it.
  const { default: sharp } = await import('sharp');
  // The limits are checked below, because the library's own message names no numbers.
  const image = sharp(source, { ...options, limitInputPixels: false }).timeout({ seconds: maxSeconds });
  const header = await image.metadata();
  const { width, height } = header;
  if (Math.max(width, height) > maxImageSide)
    throw new ImageError(`has ${width} x ${height} pixels, expected sides of at most ${maxImageSide}`);
  if (width * height > maxPixels)
    throw new ImageError(`has ${width} x ${height} pixels, expected at most ${maxPixels} in total`);
  return { image, header };
}

async function startOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(startBytes), 0, startBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function otherKind(start: Buffer): string {
  if (start.length === 0) return 'empty';
  const text = start.toString('latin1');
  if (text.startsWith('%PDF')) return 'a PDF file';
  if (text.startsWith('ftyp', 4)) return 'a HEIC image or a film';
  if (text.startsWith('BM')) return 'a BMP image';
  if (text.startsWith('\x1f\x8b')) return 'a gzip file';
  if (/^(?:\xef\xbb\xbf)?\s*</.test(text)) return 'SVG, HTML or XML';
  return 'not an image that is read';
}
