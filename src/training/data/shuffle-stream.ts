import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/**
 * Items in a random order, by a buffer of `size`: one of those in it leaves, the next takes its place. With a buffer as
 * large as the stream every order is as likely; with 1 nothing changes. Memory is that of the buffer.
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
