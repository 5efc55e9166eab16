import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openWeights } from '../../../src/model/weights/open-weights.js';
import { relflow } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';

const forms = 'test/model/weights/forms';
const truth = JSON.parse(readFileSync(`${forms}/truth.json`, 'utf8')) as Record<
  string,
  Record<string, [number[], number[]]>
>;

async function readAll(file: string, entry?: string) {
  const source = await openWeights(file, entry === undefined ? {} : { entry });
  try {
    const values: Record<string, [readonly number[], number[]]> = {};
    for (const [name, { shape }] of source.entries) values[name] = [shape, [...(await source.read(name))]];
    return { values, notes: source.notes ?? [] };
  } finally {
    await source.close();
  }
}

const rounded = (values: Record<string, [number[], number[]]>) =>
  Object.fromEntries(Object.entries(values).map(([name, [shape, list]]) => [name, [shape, list.map(Math.fround)]]));

describe('forms of PyTorch checkpoints', () => {
  const folder = temporaryFolder();

  for (const [name, expected] of Object.entries(truth))
    it(`${name}.pth is read with the values that PyTorch reads`, async () => {
      const { values } = await readAll(`${forms}/${name}.pth`);
      assert.deepEqual(values, rounded(expected));
    });

  it('entries, prefixes and other values are chosen, removed and skipped with a note that counts them', async () => {
    const notes = async (name: string) => (await readAll(`${forms}/${name}.pth`)).notes;
    assert.deepEqual(await notes('mixed'), [
      'skipped, not a tensor: 1 × number, 1 × numpy array',
      'prefixes removed from names: 3 × module.',
    ]);
    assert.deepEqual(await notes('with-average'), ['entry model is read, not model_ema; --entry chooses']);
    assert.deepEqual(await notes('ema'), ['entry ema.module is read']);
    assert.deepEqual(await notes('net'), []);
    const { values } = await readAll(`${forms}/with-average.pth`, 'model_ema');
    assert.deepEqual(values, rounded(truth['ema']!));
    assert.deepEqual((await readAll(`${forms}/ema.pth`, 'ema')).values, rounded(truth['ema']!));
    await assert.rejects(readAll(`${forms}/several.pth`), {
      message: /has several state dicts, generator, discriminator: choose one with .* --entry NAME/,
    });
    assert.deepEqual((await readAll(`${forms}/several.pth`, 'generator')).values, rounded(truth['net']!));
    await assert.rejects(readAll(`${forms}/several.pth`, 'student'), {
      message: /has no state dict at student, expected one of generator, discriminator/,
    });
  });

  it('what could run code is refused by name, and so is a tensor that is not plain', async () => {
    for (const [name, message] of [
      ['old-hostile', /refers to posix\.system, which is rejected: .*Do not load this file in Python/],
      ['module', /refers to torch\.nn\.modules\.container\.Sequential.*weights_only=False\)\.state_dict\(\)/],
      ['sparse', /the tensor a is built by torch\._utils\._rebuild_sparse_tensor, which is not read/],
      ['complex', /the tensor a has numbers of complex64, which is not read/],
      ['negative', /the tensor a is built by a view that negates or conjugates/],
    ] as const)
      await assert.rejects(readAll(`${forms}/${name}.pth`), { code: 'bad-input', message }, name);
    assert.ok(!existsSync('pwned') && !existsSync(`${forms}/pwned`));
  });

  it('a file that is not a checkpoint says what it is', async () => {
    const zip = readFileSync(`${forms}/net.pth`);
    const old = readFileSync(`${forms}/old.pth`);
    const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ';
    const safetensors = Buffer.concat([
      Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(`${header}\0\0\0\0`),
    ]);
    const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
    for (const [content, message, name = 'other.pth'] of [
      ['', /is empty, expected weights: download it again/],
      ['', /is empty/, 'other.safetensors'],
      ['<!DOCTYPE html><html></html>', /is an HTML page, expected weights: a download that failed/],
      ['<html>', /is an HTML page/, 'other.safetensors'],
      [lfs, /is a git-lfs pointer instead of the file itself, expected weights/],
      [lfs, /is a git-lfs pointer/, 'other.safetensors'],
      ['{"a": 1}', /is JSON, expected weights/],
      ['Not Found\n', /is the text "Not Found", expected weights/],
      [gzipSync(zip), /is compressed with gzip, expected weights: unpack it/],
      [Buffer.alloc(1000), /is filled with zeros/],
      [safetensors, /is a safetensors file, expected a PyTorch checkpoint: rename it to end in \.safetensors/],
      [zip, /is a checkpoint of PyTorch.* rename a checkpoint to end in \.pth/, 'other.safetensors'],
      [zip.subarray(0, 700), /starts as a zip archive but has no directory at its end, it is cut off/],
      [old.subarray(0, old.length - 9), /ends (?:within|before) the numbers of .*: download it again/],
      [old.subarray(0, 200), /its pickle ends too early/],
      [Buffer.from('\x80\x04K\x01.', 'latin1'), /is a Python pickle that torch\.save did not write/],
      [Buffer.from('\x93NUMPY', 'latin1'), /is a NumPy file, expected weights: save a state dict with torch\.save/],
      [Buffer.from([8, 7, 200, 3]), /is of an unknown kind, expected a PyTorch checkpoint/],
    ] as [string | Buffer, RegExp, string?][]) {
      const file = join(folder, name);
      writeFileSync(file, content);
      await assert.rejects(openWeights(file), { code: 'bad-input', message }, String(message));
    }
  });

  it('weights convert keeps the header, and names another model only where it fits', async () => {
    const [first, second, third] = ['a', 'b', 'c'].map((name) => join(folder, `${name}.safetensors`)) as [
      string,
      string,
      string,
    ];
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await relflow(['weights', ...args]);
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };
    await run('init', first, '--model', 'tinyTagger');
    const bytes = readFileSync(first);
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    header.__metadata__ = { ...header.__metadata__, view: '{"shorter":128,"longest":160}', note: 'mine' };
    const text = JSON.stringify(header);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(first, Buffer.concat([size, Buffer.from(text), bytes.subarray(8 + length)]));
    await run('convert', first, second);
    const metadata = async (file: string) =>
      JSON.parse(await run('inspect', file, '--json').then((out) => out.slice(0, out.lastIndexOf('}') + 1)))
        .__metadata__;
    assert.deepEqual(await metadata(second), header.__metadata__);
    await run('convert', second, third, '--model', 'tinyTagger', '--shard-size', '100KB');
    assert.deepEqual(await metadata(join(folder, 'c.safetensors.index.json')), header.__metadata__);
    assert.match(await run('inspect', second), /^header view: \{"shorter":128,"longest":160\}$/m);
  });

  it('--entry of the commands chooses, and their notes say what was read', async () => {
    const to = join(folder, 'average.safetensors');
    const converted = await relflow(['weights', 'convert', `${forms}/with-average.pth`, to, '--entry', 'model_ema']);
    assert.equal(converted.code, 0);
    assert.match(converted.stderr, /with-average\.pth: entry model_ema is read, not model; --entry chooses/);
    assert.equal((await relflow(['weights', 'diff', `${forms}/ema.pth`, to])).code, 0);
    assert.equal((await relflow(['weights', 'diff', `${forms}/with-average.pth`, to])).code, 1);
    assert.equal((await relflow(['weights', 'diff', `${forms}/with-average.pth`, to, '--entry', 'model_ema'])).code, 0);
    const inspected = await relflow(['weights', 'inspect', to, '--entry', 'model']);
    assert.match(inspected.stderr, /has no entries to choose model from, expected a PyTorch checkpoint/);
  });
});
