import { ByteReader } from './byte-reader.js';

/**
 * Returns the first bytes of a file, as `ByteReader` gives them: decompressed and in UTF-8.
 * @param count the maximum number of bytes
 * @throws InputError if the file is missing or cannot be read
 */
export async function firstBytes(file: string, count: number): Promise<Buffer> {
  const reader = await ByteReader.open(file);
  try {
    const bytes = Buffer.alloc(count);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = await reader.read(bytes, length, bytes.length - length);
    }
    return bytes.subarray(0, length);
  } finally {
    await reader.close();
  }
}
