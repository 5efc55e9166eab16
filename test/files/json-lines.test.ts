import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type JsonLine, type JsonLinesOptions, jsonLines } from '../../src/files/json/json-lines.js';
import { temporaryFolder } from '../support/folders.js';

const file = join(temporaryFolder(), 'in.jsonl');

async function read(content: string | Buffer, options?: JsonLinesOptions): Promise<JsonLine[]> {
  writeFileSync(file, content);
  const found: JsonLine[] = [];
  for await (const line of jsonLines(file, options)) found.push(line);
  return found;
}

describe('jsonLines', () => {
  it('yields values with their line and byte offset, and skips blank lines', async () => {
    const expected = [
      { value: { é: 1 }, line: 1, at: 0 },
      { value: [2], line: 3, at: 12 },
      { value: 'three', line: 5, at: 20 },
    ];
    assert.deepEqual(
      await read('{"é": 1}\r\n\n[2]\n  \n"three"'),
      expected.map((l, i) => ({ ...l, at: [0, 12, 19][i] })),
    );
    assert.deepEqual(await read(''), []);
    assert.deepEqual(await read('\n\n'), []);
    assert.deepEqual(await read('1\n'), [{ value: 1, line: 1, at: 0 }]);
  });

  it('reads gzip and a byte order mark', async () => {
    const expected = [
      { value: 1, line: 1, at: 0 },
      { value: 2, line: 2, at: 5 },
    ];
    assert.deepEqual(await read('\ufeff1\n2\n'), expected);
    assert.deepEqual(await read(gzipSync('\ufeff1\n2\n')), expected);
  });

  it('reads lines of any length and number', async () => {
    const values = Array.from({ length: 40_000 }, (_, i) => 'ü'.repeat(i % 5000 === 0 ? 1_500_000 : i % 50));
    const found = await read(values.map((value) => JSON.stringify(value)).join('\n'));
    assert.deepEqual(
      found.map(({ value }) => value),
      values,
    );
    assert.deepEqual(found.at(-1)?.line, 40_000);
  });

  it('names the invalid line', async () => {
    await assert.rejects(read('1\n{"a"\n'), { code: 'bad-input', message: `${file}: line 2 is not JSON at byte 2` });
    await assert.rejects(read(Buffer.from([0x31, 0x0a, 0x22, 0xc4, 0xe3, 0x22])), {
      message: `${file}: line 2 is not UTF-8: convert the file, for example with iconv at byte 2`,
    });
    await assert.rejects(read('<html>\n'), {
      message: `${file}: is an HTML page, expected JSON lines: a download that failed or needs a login gives such a page`,
    });
    const long = `1\n"${'x'.repeat(3_000_000)}"\n`;
    await assert.rejects(read(long, { maxLineBytes: 1000 }), {
      message: `${file}: line 2 is longer than 1000 bytes, the limit that RELFLOW_MAX_ELEMENT_BYTES sets at byte 2`,
    });
  });
});
