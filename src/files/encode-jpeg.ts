/**
 * Encodes RGB pixels, `[height, width, 3]`, as a JPEG.
 * @param quality from 1 to 100
 */
export async function encodeJpeg(
  data: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  quality = 90,
): Promise<Buffer> {
  // Imported here because it loads slowly and few commands need it.
  const { default: sharp } = await import('sharp');
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}
