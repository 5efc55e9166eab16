import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWeights } from '../../../src/model/weights/open-weights.js';
import { unpickle } from '../../../src/model/weights/unpickle.js';
import { temporaryFolder } from '../../support/folders.js';

const folder = temporaryFolder();
const end = 0x2e;

const bytes = (...parts: (number | string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))));
const uint32 = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value | 0);
  return buffer;
};
const integer = (value: number) => bytes(0x4a, uint32(value));
const text = (value: string) => bytes(0x58, uint32(value.length), value);
const tuple = (...items: Uint8Array[]) => bytes(0x28, ...items, 0x74);
const list = (sizes: readonly number[]) => tuple(...sizes.map(integer));

/** The pickle of a state dict with one or several tensors, the same view of a storage of floats. */
function tensorPickle(
  count: number,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
  tensors = 1,
): Buffer {
  const id = tuple(text('storage'), bytes('c', 'torch\nFloatStorage\n'), text('0'), text('cpu'), integer(count));
  const args = tuple(bytes(id, 0x51), integer(offset), list(shape), list(strides));
  const tensor = bytes('c', 'torch._utils\n_rebuild_tensor_v2\n', args, 0x52, 0x73);
  const items = Array.from({ length: tensors }, (_, k) => bytes(text(k === 0 ? 'a' : `a${k}`), tensor));
  return bytes(0x80, 2, 0x7d, ...items, end);
}

/** Returns an archive of stored files. The directory may lie about where they are. */
function archive(files: readonly { name: string; content: Uint8Array; header?: number }[]): Buffer {
  const contents: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, header = at } of files) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    contents.push(local, Buffer.from(name), Buffer.from(content));
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(header, 42);
    directory.push(entry, Buffer.from(name));
    at += 30 + name.length + content.length;
  }
  const last = Buffer.alloc(22);
  last.writeUInt32LE(0x06054b50);
  last.writeUInt16LE(files.length, 10);
  last.writeUInt32LE(Buffer.concat(directory).length, 12);
  last.writeUInt32LE(at, 16);
  return Buffer.concat([...contents, ...directory, last]);
}

const checkpoint = (pickle: Uint8Array, numbers: Uint8Array) =>
  archive([
    { name: 'a/data.pkl', content: pickle },
    { name: 'a/data/0', content: numbers },
  ]);

async function fails(content: Uint8Array, message: RegExp, name = 'hostile.pth'): Promise<void> {
  const file = join(folder, name);
  writeFileSync(file, content);
  const read = async () => {
    const weights = await openWeights(file);
    try {
      for (const key of weights.entries.keys()) await weights.read(key);
    } finally {
      await weights.close();
    }
  };
  await assert.rejects(read, { code: 'bad-input', message });
}

describe('weights made to do harm', () => {
  it('a long integer in a pickle is refused, and a shorter one is read exactly', () => {
    for (const size of [257, 1 << 20])
      assert.throws(() => unpickle('x', bytes(0x8b, uint32(size), new Uint8Array(size).fill(255), end)), {
        message: new RegExp(`its pickle has an integer of ${size} bytes, expected at most 256`),
      });
    for (const [size, value] of [
      [1, -56n],
      [2, -200n],
      [8, -(2n ** 60n)],
      [9, 2n ** 64n],
      [256, -(2n ** 1000n)],
    ] as const) {
      const unsigned = BigInt.asUintN(8 * size, value)
        .toString(16)
        .padStart(2 * size, '0');
      const pickle = bytes(0x8b, uint32(size), Buffer.from(unsigned, 'hex').reverse(), end);
      assert.equal(unpickle('x', pickle), Number(value));
    }
    assert.equal(unpickle('x', bytes(0x8a, 0, end)), 0);
  });

  it('a pickle cannot grow beyond its instructions, whatever its memo holds', () => {
    // Each list contains the one before it twice: a copy of the last would have 2^40 items.
    const doubled = Array.from({ length: 40 }, () => bytes(0x32, 0x86, 0x94));
    for (const tail of [bytes(0x4b, 1, 0x93), bytes('c', 'torch\nFloatStorage\n', 0x86, 0x51)])
      assert.throws(() => unpickle('x', bytes(0x5d, 0x94, ...doubled, tail)), { code: 'bad-input' });
    const nested = Buffer.alloc(500_000, 0x85);
    assert.throws(() => unpickle('x', bytes(0x4e, nested, 0x8c, 1, 'a', 0x93)), {
      message: /names a function by a value that is not a string/,
    });
    assert.throws(() => unpickle('x', Buffer.alloc(2_000_000, 0x7d)), { message: /more than 1000000 instructions/ });
    assert.throws(() => unpickle('x', bytes(0x4e, 0x72, uint32(2 ** 31), end)), {
      message: /sets memo entry 2147483648, expected at most 1000000/,
    });
    for (const code of [0x32, 0x94]) assert.throws(() => unpickle('x', bytes(code, end)), { code: 'bad-input' });
  });

  it('a tensor with more numbers than its storage is refused, also one with stride 0', async () => {
    for (const [shape, strides] of [
      [[2_000_000_000], [0]],
      [
        [2 ** 30, 2 ** 30, 2 ** 30],
        [0, 0, 0],
      ],
      [
        [1000, 1000],
        [1, 1],
      ],
    ] as const)
      await fails(
        checkpoint(tensorPickle(2000, shape, strides), Buffer.alloc(8000)),
        /has a tensor of \S+ numbers in a storage of 2000, expected at most as many/,
      );
    await fails(checkpoint(tensorPickle(4, [4], [2]), Buffer.alloc(16)), /extends beyond its storage/);
    await fails(checkpoint(tensorPickle(4, [4], [1], 1), Buffer.alloc(16)), /extends beyond its storage/);
    await fails(checkpoint(tensorPickle(-4, [0], [1]), Buffer.alloc(16)), /refers to an invalid storage/);
    const axes = Array.from({ length: 17 }, () => 1);
    await fails(checkpoint(tensorPickle(4, axes, axes), Buffer.alloc(16)), /builds a tensor from invalid arguments/);
    await fails(checkpoint(tensorPickle(400, [4], [1]), Buffer.alloc(16)), /lacks the data of a, expected 1600 bytes/);
  });

  it('tensors that repeat numbers are read up to a bound of each and of all', async () => {
    const file = join(folder, 'repeated.pth');
    writeFileSync(file, checkpoint(tensorPickle(2, [2, 4], [1, 0]), Buffer.alloc(8, 1)));
    const weights = await openWeights(file);
    assert.equal((await weights.read('a')).length, 8);
    await weights.close();
    await fails(
      checkpoint(tensorPickle(2, [2, 40_000], [1, 0]), Buffer.alloc(8)),
      /has a tensor of 80000 numbers in a storage of 2, expected at most as many, or at most 65536 that repeat them/,
    );
    await fails(
      checkpoint(tensorPickle(2, [65_536], [0], 0, 300), Buffer.alloc(8)),
      /repeats numbers of its storages 19660200 times, expected at most 16777216/,
    );
  });

  it('an archive whose files overlap, or that has too many, is refused', async () => {
    const pickle = tensorPickle(4, [4], [1]);
    const copies = Array.from({ length: 60_000 }, (_, k) => ({ name: `a/data/${k}`, content: pickle, header: 0 }));
    await fails(
      archive([{ name: 'a/data.pkl', content: pickle }, ...copies]),
      /contains a\/data\/0, which overlaps the file before it/,
    );
    const many = archive([{ name: 'a/data.pkl', content: pickle }]);
    many.writeUInt16LE(65_535, many.length - 12);
    await fails(many, /is an archive with an invalid directory/);
  });

  it('a header of safetensors is bounded in size, nesting and axes', async () => {
    const safetensors = (header: string, data = 4) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      return bytes(length, header, Buffer.alloc(data));
    };
    const refused = (content: Uint8Array, message: RegExp) => fails(content, message, 'hostile.safetensors');
    await refused(safetensors(' '.repeat(17 << 20)), /has a header of 17825792 bytes, expected at most 16777216/);
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    await refused(safetensors(`{"a":{"dtype":${nested}}}`), /its header is not JSON/);
    await refused(safetensors(`{"__metadata__":{"config":${nested}}}`), /its header is not JSON/);
    const ones = Array.from({ length: 100_000 }, () => 1).join();
    await refused(
      safetensors(`{"a":{"dtype":"F32","shape":[${ones}],"data_offsets":[0,4]}}`),
      /a has an invalid shape, expected up to 16 whole numbers of at least 0/,
    );
    for (const name of ['constructor', '__proto__', 'toString'])
      await refused(
        safetensors(`{"a":{"dtype":"${name}","shape":[1],"data_offsets":[0,4]}}`),
        new RegExp(`a has dtype "${name}", expected one of F64, `),
      );
    assert.ok(readFileSync(join(folder, 'hostile.safetensors')).length > 0);
  });
});
