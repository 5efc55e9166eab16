import assert from 'node:assert/strict';
import { streamLines } from '../../src/files/stream-lines.js';

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const stream = async function* () {
    yield* chunks;
  };
  const lines: string[] = [];
  for await (const line of streamLines('text', stream())) lines.push(line);
  return lines;
}

describe('streamLines', () => {
  it('splits lines and characters that are cut into chunks, and keeps blank lines', async () => {
    const euro = Buffer.from('€');
    assert.deepEqual(await linesOf('a\r', '\nb', 'c\n\n', 'd\re\n'), ['a', 'bc', '', 'd', 'e']);
    assert.deepEqual(await linesOf(euro.subarray(0, 1), euro.subarray(1)), ['€']);
    assert.deepEqual(await linesOf('a\r'), ['a']);
    assert.deepEqual(await linesOf('a', '\r', '\r', 'b'), ['a', '', 'b']);
    assert.deepEqual(await linesOf('\r', '\n'), ['']);
    assert.deepEqual(await linesOf(), []);
  });
});
