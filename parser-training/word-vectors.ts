import { readFileSync } from 'node:fs';

/** Of a vector. */
export const dimensions = 100;

/** Signed bytes; the largest component in absolute value becomes 127: only the direction of a vector is used. */
export function quantized(vector: readonly number[]): Int8Array {
  const largest = Math.max(...vector.map(Math.abs));
  return Int8Array.from(vector, (value) => Math.round((127 * value) / largest));
}

/**
 * Vectors of English words that are alike where the words are used alike (GloVe), each of length 1.
 * Source: Pennington et al., "GloVe: Global Vectors for Word Representation", 2014.
 */
export function readWordVectors(): Map<string, Float32Array> {
  const words = readFileSync(new URL('word-vectors.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const bytes = readFileSync(new URL('word-vectors.bin', import.meta.url));
  return new Map(
    words.map((word, row) => {
      const vector = Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset + row * dimensions, dimensions));
      const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
      return [word, vector.map((value) => value / norm)];
    }),
  );
}
