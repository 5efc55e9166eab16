import { readFileSync } from 'node:fs';

/** Width of a vector. */
export const dimensions = 100;

/** Quantizes a vector to signed bytes, its largest component to ±127; only its direction is used. */
export function quantized(vector: readonly number[]): Int8Array {
  const largest = Math.max(...vector.map(Math.abs));
  return Int8Array.from(vector, (value) => Math.round((127 * value) / largest));
}

/**
 * Reads GloVe vectors of English words as unit vectors, which are similar for words with similar use.
 *
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
