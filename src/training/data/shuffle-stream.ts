import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/**
 * Shuffles items by a buffer of `size` items: a random item leaves the buffer, and the next one takes its place. With a
 * buffer as large as the stream every order is equally likely; with 1 the order stays as it is.
 */
export async function* shuffleStream<T>(items: AsyncIterable<T>, size: number, random: Random): AsyncGenerator<T> {
  const buffer: T[] = [];
  for await (const item of items) {
    if (buffer.length < size) {
      buffer.push(item);
      continue;
    }
    const at = randomInteger(random, size);
    const leaving = buffer[at]!;
    buffer[at] = item;
    yield leaving;
  }
  while (buffer.length > 0) {
    const at = randomInteger(random, buffer.length);
    const leaving = buffer[at]!;
    buffer[at] = buffer[buffer.length - 1]!;
    buffer.pop();
    yield leaving;
  }
}
