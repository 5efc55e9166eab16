import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../../src/errors.js';
import { ByteReader } from '../../src/files/json/byte-reader.js';
import { type JsonStreamOptions, streamJson } from '../../src/files/json/stream-json.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const file = join(folder, 'in.json');

function read(json: string | Buffer, options: JsonStreamOptions = { layout: 'list' }): Promise<unknown[]> {
  writeFileSync(file, json);
  return readFile(options);
}

async function readFile(options: JsonStreamOptions): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { section, keys, values, first } of streamJson(file, options)) {
    if (values.length === 0) found.push(section);
    for (const [i, value] of values.entries())
      found.push(keys.length > 0 ? [keys[i], value] : section ? { [section]: value } : value);
    assert.ok(Number.isInteger(first));
  }
  return found;
}

async function fails(json: string | Buffer, message: string, options?: JsonStreamOptions): Promise<void> {
  await assert.rejects(read(json, options), (error: Error) => {
    assert.ok(error instanceof InputError, `${error.stack}`);
    assert.equal(error.message, `${file}: ${message}`);
    return true;
  });
}

/** Limits the bytes of each read, so that the buffered bytes can be made to end at every position. */
async function inSteps<T>(stepOf: (call: number) => number, work: () => Promise<T>): Promise<T> {
  const original = ByteReader.prototype.read;
  let call = 0;
  ByteReader.prototype.read = function (target, at, length) {
    return original.call(this, target, at, Math.min(length, stepOf(call++)));
  };
  try {
    return await work();
  } finally {
    ByteReader.prototype.read = original;
  }
}

const tricky = [
  { id: 1, name: 'brace } bracket ] comma , quote " backslash \\ end \\\\', empty: '' },
  { ключ: 'café 日本語 😀', escaped: '\u2028\ud83d\ude00\u0000\n\t/', nested: [[[]], [{}, { a: [1, { b: 'x]' }] }]] },
  [],
  {},
  'just "text"',
  -12.5e-3,
  true,
  null,
  [1, [2, [3, [4, '[']]]],
];
/** Escapes every non-ASCII character, as Python does, including surrogate pairs. */
const asciiOnly = (json: string) =>
  json.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe('streamJson', () => {
  it('yields the elements of a list', async () => {
    assert.deepEqual(await read(JSON.stringify(tricky)), tricky);
    assert.deepEqual(await read(` \r\n\t${JSON.stringify(tricky, null, 3)}\n\n`), tricky);
    assert.deepEqual(await read(asciiOnly(JSON.stringify(tricky))), tricky);
  });

  it('yields the entries of a map in file order, including repeated keys and keys that look like numbers', async () => {
    const json = '{"b": [1], "10": {"x": "y"}, "2": "z" , "b":3, "__proto__": {"a": 1}, "quo\\"te: ,": null}';
    assert.deepEqual(await read(json, { layout: 'map' }), [
      ['b', [1]],
      ['10', { x: 'y' }],
      ['2', 'z'],
      ['b', 3],
      ['__proto__', { a: 1 }],
      ['quo"te: ,', null],
    ]);
  });

  it('yields the elements of named arrays and skips everything else', async () => {
    const json = JSON.stringify({
      info: { images: [1, 2], text: '"images": [3]' },
      version: 1.5,
      annotations: [{ a: 1 }, { a: 2 }],
      flag: null,
      name: 'x',
      licenses: [[], [[]]],
      images: [],
      categories: ['c'],
    });
    const layout = ['images', 'categories', 'annotations'];
    assert.deepEqual(await read(json, { layout }), [
      { annotations: { a: 1 } },
      { annotations: { a: 2 } },
      'images',
      { categories: 'c' },
    ]);
    assert.deepEqual(await read(json, { layout: ['categories'] }), [{ categories: 'c' }]);
  });

  it('yields the same elements wherever the buffered bytes end', async () => {
    const list = JSON.stringify(tricky);
    const map = asciiOnly(JSON.stringify({ a: tricky, 'b"\\': { c: 'd' }, 5: -1 }, null, 1));
    const object = JSON.stringify({ skipped: tricky, images: tricky, no: -1.5e3, annotations: [] });
    const documents: [string, JsonStreamOptions][] = [
      [list, { layout: 'list' }],
      [map, { layout: 'map' }],
      [object, { layout: ['images', 'annotations'] }],
    ];
    for (const [json, options] of documents) {
      const expected = await read(json, options);
      const readInSteps = (stepOf: (call: number) => number) => inSteps(stepOf, () => readFile(options));
      for (let split = 1; split <= Buffer.byteLength(json); split++) {
        const found = await readInSteps((call) => (call === 0 ? split : 1_000_000));
        assert.deepEqual(found, expected, `split at ${split}`);
      }
      assert.deepEqual(await readInSteps(() => 1), expected);
    }
  }).timeout(60_000);

  it('yields elements that are larger than one read', async () => {
    const large = Array.from({ length: 5 }, (_, i) => ({ i, text: `"${'ab\\'.repeat(300_000 * (i + 1))}"` }));
    assert.deepEqual(await read(JSON.stringify(large)), large);
  });

  it('reads gzip, including several members, and a byte order mark', async () => {
    const json = JSON.stringify(tricky);
    assert.deepEqual(await read(gzipSync(json)), tricky);
    assert.deepEqual(await read(Buffer.concat([gzipSync(json.slice(0, 50)), gzipSync(json.slice(50))])), tricky);
    assert.deepEqual(await read(`\ufeff${json}`), tricky);
    assert.deepEqual(await read(gzipSync(`\ufeff${json}`)), tricky);
    assert.deepEqual(
      await inSteps(
        () => 1,
        () => read(`\ufeff${json}`),
      ),
      tricky,
    );
  });

  it('reads a score that is NaN as infinite, since null would mean none', async () => {
    const json = '[{"score": NaN, "a": "\\"score\\": NaN"}, {"score" : -Infinity, "other_score":NaN}]';
    const infinite = { score: Number.POSITIVE_INFINITY };
    assert.deepEqual(await read(json), [
      { ...infinite, a: '"score": NaN' },
      { ...infinite, other_score: null },
    ]);
  });

  it('reads NaN and Infinity outside of strings as null', async () => {
    const json = '[{"bbox": [NaN, 1, -Infinity, Infinity], "name": "NaN \\" Infinity"}, NaN, {"a": 1}]';
    assert.deepEqual(await read(json), [{ bbox: [null, 1, null, null], name: 'NaN " Infinity' }, null, { a: 1 }]);
  });

  it('reads whole numbers of fields beyond 2^53 as their digits, and all others as numbers', async () => {
    const json = `[{"id": 20230518123456789012, "a": {"b":\n-9007199254740993}, "area": 0.1234567890123456},
      {"id": 9007199254740991, "text": "a \\": 20230518123456789012, b", "list": [1, 20230518123456789012],
       "zeros": 7.0000000000000000, "exponent": 1234567890123456e2}]`;
    assert.deepEqual(await read(json), [
      { id: '20230518123456789012', a: { b: '-9007199254740993' }, area: 0.1234567890123456 },
      {
        id: 9007199254740991,
        text: 'a ": 20230518123456789012, b',
        list: [1, 20230518123456790000],
        zeros: 7,
        exponent: 123456789012345600,
      },
    ]);
    const map = '{"20230518123456789012": {"id": 20230518123456789012}}';
    assert.deepEqual(await read(map, { layout: 'map' }), [['20230518123456789012', { id: '20230518123456789012' }]]);
  });

  it('reads UTF-16 in both byte orders, with and without a byte order mark, gzip or not', async () => {
    const elements = [{ name: 'поезд 🐕' }, ...Array.from({ length: 200_000 }, (_, i) => i)];
    const json = JSON.stringify(elements);
    const little = (text: string) => Buffer.from(text, 'utf16le');
    for (const text of [`\ufeff${json}`, json]) {
      assert.deepEqual(await read(little(text)), elements);
      assert.deepEqual(await read(little(text).swap16()), elements);
      assert.deepEqual(await read(gzipSync(little(text))), elements);
    }
  });

  it('names what a file is that is not JSON', async () => {
    const options = { layout: ['images'] } as const;
    const html = 'a download that failed or needs a login gives such a page';
    await fails('\n<!DOCTYPE html><html>', `the file is an HTML page, expected an object: ${html}`, options);
    await fails('<html>', `the file is an HTML page, expected a list: ${html}`);
    await fails('<?xml version="1.0"?>', 'the file is XML, expected a list');
    await fails(
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\n',
      "the file is a git-lfs pointer instead of the file itself, expected an object: fetch it with 'git lfs pull'",
      options,
    );
    await fails('PK\x03\x04', 'the file is a zip archive, expected an object: unpack it', options);
    await fails(
      "{'images': []}",
      "a key in the top-level object begins with a single quote, as Python's str() writes it: write the file with json.dump; found at byte 1",
      options,
    );
    await fails(
      "[{'id': 1}]",
      "the file is Python's notation with single quotes, expected an object: write it with json.dump",
      options,
    );
  });

  it('names JSON lines where one value was expected', async () => {
    const lines = '{"image_id": 1}\n{"image_id": 2}\n';
    const kind = 'the file is JSON lines (one JSON value per line)';
    await fails(lines, `${kind}, expected a list`);
    await fails(lines, `${kind}, expected one object; a second one begins at byte 16`, { layout: 'map' });
    await fails(lines, `${kind}, expected one object with the array 'images'`, { layout: ['images'] });
  });

  it('names a control character in a string, and text that is not UTF-8, with its place', async () => {
    await fails(
      '[{"a": "\\""}, {"b": "1\t"}]',
      'invalid JSON in the top-level array: a string contains the control character U+0009, expected its escape \\u0009, at byte 22',
    );
    const gbk = Buffer.concat([Buffer.from('["é", "'), Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), Buffer.from('"]')]);
    await fails(gbk, 'the text is not UTF-8: convert the file, for example with iconv; found the bytes c4e3 at byte 8');
  });

  it('returns the values of skipped keys of elements empty, and all other values in full', async () => {
    const element = (segmentation: unknown) => ({
      segmentation,
      id: 1,
      caption: 'segmentation',
      inner: { segmentation: [1] },
      'a "segmentation': [2],
      counts: ['segmentation', [3]],
    });
    const options = { layout: 'list', skippedKeys: ['segmentation'] } as const;
    const json = [element([[1, 2, 3]]), element({ counts: [1, ']'], size: [2] }), element('text'), element(7)];
    const emptied = [element([]), element({}), element('text'), element(7)];
    assert.deepEqual(await read(JSON.stringify(json), options), emptied);
    assert.deepEqual(await read(JSON.stringify(json, null, 2), options), emptied);
    assert.deepEqual(
      await inSteps(
        () => 1,
        () => read(JSON.stringify(json, null, 2), options),
      ),
      emptied,
    );
  });

  it('reports errors next to skipped keys', async () => {
    const options = { layout: 'list', skippedKeys: ['segmentation'] } as const;
    const element = '{"segmentation": [[1]], "a": NaN}';
    assert.deepEqual(await read(`[${element}, ${element}]`, options), [
      { segmentation: [], a: null },
      { segmentation: [], a: null },
    ]);
    const invalid = `[${element}, {"segmentation": {"x": [2]}, "a": oops}]`;
    await fails(invalid, 'invalid JSON in the top-level array at byte 36', options);
    await fails(`[${element} {"segmentation": [2]}]`, "expected ',' or ']' in the top-level array at byte 35", options);
    await fails(
      `[${element}, {"segmentation": [2], "b": ${'['.repeat(600)}`,
      'more than 512 brackets are open in the top-level array at byte 36',
      options,
    );
  });

  it('reports where a file is truncated', async () => {
    const layout = ['images', 'annotations'];
    const json = '{"images": [], "annotations": [{"id": 1}, {"id": 2}]}';
    const at = (length: number, message: string) =>
      fails(json.slice(0, length), `${message} at byte ${length}`, { layout });
    await fails('', 'the file is empty', { layout });
    await at(1, 'truncated JSON, the top-level object does not end');
    await at(6, 'truncated JSON, the top-level object does not end');
    await at(12, "truncated JSON, the array 'images' does not end");
    await at(35, "truncated JSON, the array 'annotations' does not end");
    await at(json.length - 2, "truncated JSON, the array 'annotations' does not end");
    await at(json.length - 1, 'truncated JSON, the top-level object does not end');
    await fails('[1, 2', 'truncated JSON, the top-level array does not end at byte 5');
    await fails('{"a": 1, "b', 'truncated JSON, the top-level object does not end at byte 11', { layout: 'map' });
    await fails('{"info": {"a": ', "truncated JSON, the value of 'info' does not end at byte 15", { layout });
    await fails('\n  ', 'the file is empty');
  });

  it('throws an InputError wherever the file is truncated', async () => {
    const json = JSON.stringify({ info: tricky, images: tricky, annotations: [1, 2] });
    for (let length = 0; length < json.length; length++) {
      await assert.rejects(read(json.slice(0, length), { layout: ['images', 'annotations'] }), InputError);
    }
  });

  it('reports where a file is not JSON', async () => {
    await fails('[{"a": 1}, {"b": tru}, 3]', 'invalid JSON in the top-level array at byte 11');
    await fails('[{"a": [1}]}]', 'invalid JSON in the top-level array at byte 1');
    await fails('[1,,2]', 'expected a value in the top-level array at byte 3');
    await fails('[1 2]', "expected ',' or ']' in the top-level array at byte 3");
    await fails('[1, ]', 'expected a value in the top-level array at byte 4');
    await fails('{"a" 1}', "expected ':' in the top-level object at byte 5", { layout: 'map' });
    await fails('{"a": 1, }', 'expected a key in the top-level object at byte 9', { layout: 'map' });
    await fails('{a: 1}', 'expected a key in the top-level object at byte 1', { layout: ['a'] });
    await fails('{"a": [], }', 'expected a key in the top-level object at byte 10', { layout: ['a'] });
    await fails('{"a": []]', "expected ',' or '}' in the top-level object at byte 8", { layout: ['a'] });
    await fails('[1] [2]', 'unexpected text after the end of the JSON at byte 4');
    await fails('[1]]', 'unexpected text after the end of the JSON at byte 3');
  });

  it('reports offsets in the decompressed file, also after many elements', async () => {
    const filler = Array.from({ length: 300_000 }, (_, i) => `{"id":${i}}`).join(',');
    const json = `[${filler},{"id":oops},1]`;
    const message = `invalid JSON in the top-level array at byte ${filler.length + 2}`;
    await fails(json, message);
    await fails(gzipSync(json), message);
  });

  it('reports a structure other than the expected one', async () => {
    await fails('{"a": 1}', 'the file is an object, expected a list at byte 0');
    await fails('[1]', 'the file is an array, expected an object at byte 0', { layout: 'map' });
    await fails('"x"', 'the file is a string, expected an object at byte 0', { layout: ['images'] });
    await fails('{"images": {"a": 1}}', "'images' is an object, expected an array at byte 11", { layout: ['images'] });
    await fails('{"images": 5}', "'images' is a number, expected an array at byte 11", {
      layout: ['images'],
    });
    await fails('{"images": null}', "'images' is null, expected an array at byte 11", { layout: ['images'] });
    await fails('{}', "the array 'images' is missing, the object is empty", { layout: ['images'] });
    await fails('{"images": [], "info": 1}', "the array 'annotations' is missing, found 'images', 'info'", {
      layout: ['images', 'annotations'],
    });
    await fails('{"a": [], "a": []}', "the key 'a' occurs twice at byte 14", { layout: ['a'] });
    assert.deepEqual(await read('{}', { layout: ['images'], required: [] }), []);
  });

  it('limits the length and the nesting depth of an element', async () => {
    const deep = (levels: number) => `[${'['.repeat(levels)}${']'.repeat(levels)}]`;
    assert.equal((await read(deep(512))).length, 1);
    await fails(deep(513), 'more than 512 brackets are open in the top-level array at byte 1');
    await fails(`{"x": ${deep(600)}}`, "more than 512 brackets are open in the value of 'x' at byte 7", {
      layout: ['a'],
    });
    const short = JSON.stringify(['a', 'b'.repeat(1000)]);
    await fails(
      short,
      'a value in the top-level array is longer than 100 bytes, the limit that RELFLOW_MAX_ELEMENT_BYTES sets at byte 5',
      {
        layout: 'list',
        maxValueBytes: 100,
      },
    );
    const long = JSON.stringify(['a', 'b'.repeat(4_000_000)]);
    await fails(
      long,
      'element 1 of the top-level array is longer than 1000000 bytes, the limit that RELFLOW_MAX_ELEMENT_BYTES sets at byte 5',
      {
        layout: 'list',
        maxValueBytes: 1_000_000,
      },
    );
  });

  it('reports missing files, folders and invalid gzip data', async () => {
    const missing = join(folder, 'none.json');
    await assert.rejects(streamJson(missing, { layout: 'list' }).next(), { message: `${missing}: no such file` });
    await assert.rejects(streamJson(folder, { layout: 'list' }).next(), { message: `${folder}: is not a file` });
    const packed = gzipSync(JSON.stringify(tricky));
    await fails(packed.subarray(0, packed.length - 12), 'truncated gzip data');
    await fails(Buffer.concat([packed.subarray(0, 10), Buffer.alloc(50, 0xff)]), 'invalid gzip data');
  });

  it('stops on a signal, and when the consumer stops', async () => {
    writeFileSync(file, JSON.stringify(Array.from({ length: 500_000 }, (_, i) => ({ i }))));
    const stop = new AbortController();
    const batches = streamJson(file, { layout: 'list', signal: stop.signal });
    await batches.next();
    stop.abort(new Error('enough'));
    await assert.rejects(
      async () => {
        for await (const _ of batches);
      },
      { message: 'enough' },
    );
    for await (const _ of streamJson(file, { layout: 'list' })) break;
    writeFileSync(file, gzipSync(JSON.stringify(Array.from({ length: 500_000 }, (_, i) => ({ i })))));
    for await (const _ of streamJson(file, { layout: 'list' })) break;
  });

  it('reports its progress in bytes on disk', async () => {
    const reads: [number, number][] = [];
    const packed = gzipSync(JSON.stringify(tricky));
    await read(packed, { layout: 'list', onRead: (done, total) => reads.push([done, total]) });
    assert.deepEqual(reads.at(-1), [packed.length, packed.length]);
  });
});
