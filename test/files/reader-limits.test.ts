import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { captionFile } from '../../src/captioners/caption-file.js';
import { postJson } from '../../src/endpoints/post-json.js';
import { imagePath } from '../../src/files/image-path.js';
import { ByteWindow } from '../../src/files/json/byte-window.js';
import { jsonLines } from '../../src/files/json/json-lines.js';
import { type JsonStreamOptions, streamJson } from '../../src/files/json/stream-json.js';
import { parseFactual } from '../../src/records/factual-graph.js';
import { nameVariants } from '../../src/vocabulary/category-names.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();

async function countElements(content: string | Buffer, options: Partial<JsonStreamOptions> = {}): Promise<number> {
  const file = join(folder, 'in.json');
  writeFileSync(file, content);
  let count = 0;
  for await (const { values } of streamJson(file, { layout: 'list', ...options })) count += values.length;
  return count;
}

/** Sets environment variables during some work. */
async function withEnvironment(values: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, values);
  try {
    await work();
  } finally {
    for (const name of Object.keys(values)) {
      delete process.env[name];
      if (before[name] !== undefined) process.env[name] = before[name];
    }
  }
}

describe('The limits of readers', () => {
  it('scan one long value in linear time', async () => {
    const original = ByteWindow.prototype.readMore;
    let scanned = 0;
    ByteWindow.prototype.readMore = function () {
      scanned += this.end - this.position;
      return original.call(this);
    };
    const text = JSON.stringify(['x'.repeat(24_000_000)]);
    try {
      assert.equal(await countElements(text, { maxValueBytes: 32_000_000 }), 1);
      assert.equal(await countElements(Buffer.from(`\ufeff${text}`, 'utf16le'), { maxValueBytes: 32_000_000 }), 1);
      assert.equal(await countElements(gzipSync(text), { maxValueBytes: 32e6, maxCompressionRatio: 2000 }), 1);
    } finally {
      ByteWindow.prototype.readMore = original;
    }
    assert.ok(scanned <= 3 * 2 * text.length, `${scanned} bytes were scanned again`);
  });

  it('refuse an element of more than 16 MiB, unless the environment allows it', async () => {
    const text = JSON.stringify([1, 'x'.repeat(17 * 2 ** 20)]);
    await assert.rejects(countElements(text), {
      message: `${join(folder, 'in.json')}: a value in the top-level array is longer than 16777216 bytes, the limit that RELFLOW_MAX_ELEMENT_BYTES sets at byte 3`,
    });
    await withEnvironment({ RELFLOW_MAX_ELEMENT_BYTES: '20000000' }, async () => {
      assert.equal(await countElements(text), 2);
    });
    await withEnvironment({ RELFLOW_MAX_ELEMENT_BYTES: '16MB' }, () =>
      assert.rejects(countElements(text), {
        message: "RELFLOW_MAX_ELEMENT_BYTES: is '16MB', expected a whole number of at least 1",
      }),
    );
  });

  it('refuse gzip data that expands to more than 200 times its size, unless the environment allows it', async () => {
    for (const [kind, bomb] of Object.entries({
      blanks: gzipSync(`[${' '.repeat(20_000_000)}]`),
      nothing: gzipSync(`[${'0,'.repeat(10_000_000)}0]`),
    })) {
      assert.ok(bomb.length < 80_000, kind);
      await assert.rejects(countElements(bomb), {
        message: `${join(folder, 'in.json')}: the gzip data expands to more than 200 times its size, the limit that RELFLOW_MAX_COMPRESSION_RATIO sets`,
      });
    }
    const large = gzipSync(`[${' '.repeat(20_000_000)}]`);
    await withEnvironment({ RELFLOW_MAX_COMPRESSION_RATIO: '2000' }, async () => {
      assert.equal(await countElements(large), 0);
    });
  });

  it('refuse deep nesting in lines, which no stack would hold', async () => {
    const file = join(folder, 'deep.jsonl');
    writeFileSync(file, `1\n${'['.repeat(100_000)}${']'.repeat(100_000)}\n`);
    const lines: unknown[] = [];
    await assert.rejects(
      async () => {
        for await (const { value } of jsonLines(file)) lines.push(value);
      },
      { message: `${file}: line 2 is nested more than 512 brackets deep at byte 2` },
    );
    assert.deepEqual(lines, [1]);
  });

  it('read a quoted cell of many lines in linear time', async () => {
    const file = join(folder, 'captions.csv');
    const captions = captionFile({ captions: file, tempDir: folder });
    try {
      writeFileSync(file, `file,caption\n1.jpg,"${'""\n'.repeat(300_000)}a "" b"\n`);
      const image = { id: 1, file: '1.jpg', width: 1, height: 1, dataset: 'x', split: '' };
      // The time limit is a guard against quadratic time only.
      const start = performance.now();
      const [caption] = await captions.caption(image, new AbortController().signal, () => {});
      assert.ok(performance.now() - start < 20_000);
      assert.equal(caption?.text, `${'"\n'.repeat(300_000)}a " b`);
    } finally {
      await captions.close();
    }
  });

  it('read the message of a failed request in linear time', async () => {
    const server = createServer((_, response) => response.writeHead(400).end('<'.repeat(3_000_000)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const options = { token: undefined, redact: (text: string) => text, signal: new AbortController().signal };
      const start = performance.now();
      await assert.rejects(postJson(url, '{}', options), { message: `the server answered 400: ${'<'.repeat(300)}` });
      assert.ok(performance.now() - start < 20_000);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('look at names and paths of any length in linear time', () => {
    const count = 400_000;
    const start = performance.now();
    const blanks = ' '.repeat(count);
    for (const name of [`1${blanks}!`, `a${blanks}b`, '('.repeat(count), `x${'_'.repeat(count)}y`]) nameVariants(name);
    for (const path of [`https://x/${'?'.repeat(count)}\n`, 'a/'.repeat(count), `a/${'b/'.repeat(80)}c.jpg`])
      assert.equal(imagePath(path), null);
    assert.equal(imagePath(`${'b/'.repeat(63)}c.jpg`)?.whole.length, 131);
    parseFactual(`( a${blanks}${')'.repeat(count)}b , on , c )`);
    // The time limit is a guard against quadratic time only.
    assert.ok(performance.now() - start < 20_000);
  });
});
