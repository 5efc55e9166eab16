import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WeightSource } from '../../../src/files/weight-source.js';
import { writeSafetensors } from '../../../src/files/write-safetensors.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { tiny } from '../../../src/model/presets.js';
import { RlipV2 } from '../../../src/model/rlip-v2.js';
import { initializeWeights } from '../../../src/model/weights/initialize-weights.js';
import { loadWeights } from '../../../src/model/weights/load-weights.js';
import { openWeights } from '../../../src/model/weights/open-weights.js';
import { unpickle } from '../../../src/model/weights/unpickle.js';
import { temporaryFolder } from '../../support/folders.js';
import { assertClose } from '../../support/tensors.js';

const fixtures = 'test/model/weights/checkpoints';

const copied = (source: WeightSource) =>
  [...source.entries].map(([name, { shape }]) => ({ name, shape, read: () => source.read(name) }));

describe('weights', () => {
  const folder = temporaryFolder();

  it('are read from a PyTorch checkpoint, including views and all number types', async () => {
    const source = await openWeights(`${fixtures}/checkpoint.pth`);
    const expected = JSON.parse(readFileSync(`${fixtures}/checkpoint.json`, 'utf8')) as Record<
      string,
      [number[], number[]]
    >;
    assert.deepEqual([...source.entries.keys()], Object.keys(expected));
    for (const [name, [shape, values]] of Object.entries(expected)) {
      assert.deepEqual(source.entries.get(name)!.shape, shape, name);
      assertClose(await source.read(name), values, 1e-6);
    }
    await source.close();
  });

  it('of a checkpoint are written to safetensors and shards and read back unchanged', async () => {
    const source = await openWeights(`${fixtures}/checkpoint.pth`);
    const whole = await writeSafetensors(join(folder, 'whole.safetensors'), copied(source), {
      metadata: { from: 'x' },
    });
    const index = await writeSafetensors(join(folder, 'cut.safetensors'), copied(source), { shardBytes: 50 });
    assert.equal(index, join(folder, 'cut.safetensors.index.json'));
    for (const path of [whole, index]) {
      const back = await openWeights(path);
      assert.deepEqual([...back.entries.keys()].sort(), [...source.entries.keys()].sort());
      for (const name of source.entries.keys()) assert.deepEqual(await back.read(name), await source.read(name));
      await back.close();
    }
    assert.ok(readdirSync(folder).some((file) => /^cut-00001-of-0000\d\.safetensors$/.test(file)));
    assert.ok(!readdirSync(folder).some((file) => file.endsWith('.partial')));
    await source.close();
  });

  it('a pickle that calls a function is rejected with its name, and the function does not run', async () => {
    await assert.rejects(openWeights(`${fixtures}/hostile.pth`), {
      code: 'bad-input',
      message:
        /hostile\.pth: refers to posix\.system, which is rejected: a checkpoint may contain only tensors and plain data/,
    });
    assert.ok(!existsSync('pwned') && !existsSync(`${fixtures}/pwned`));
  });

  it('every kind of invalid pickle is rejected', () => {
    const bytes = (...codes: (number | string)[]) =>
      Uint8Array.from(codes.flatMap((code) => (typeof code === 'string' ? [...Buffer.from(code)] : [code])));
    for (const [pickle, problem] of [
      [bytes(), /ends too early/],
      [bytes(0x80, 9), /has protocol 9, expected at most 5/],
      [bytes(0x2e), /needs 1 values on its stack, found 0/],
      [bytes(0x74), /needs a mark on its stack, found none/],
      [bytes(0x68, 3), /reads memo entry 3, which is not set/],
      [bytes('cbuiltins\neval\n', 0x2e), /refers to builtins\.eval/],
      [bytes(0x8c, 2, 'os', 0x8c, 6, 'system', 0x93), /refers to os\.system/],
      [bytes(0x4b, 1, 0x29, 0x52), /calls a value that is not a function/],
      [bytes('ccollections\nOrderedDict\n', 0x4b, 1, 0x62), /sets fields of a value that is not an object/],
      [bytes('i', 'os\nsystem\n'), /has the unknown instruction 0x69/],
    ] as [Uint8Array, RegExp][])
      assert.throws(() => unpickle('x.pth', pickle), { code: 'bad-input', message: problem });
  });

  it('files of an unknown kind are rejected by name', async () => {
    await assert.rejects(openWeights(`${fixtures}/none.pth`), { message: `${fixtures}/none.pth: no such file` });
    await assert.rejects(openWeights(`${fixtures}/make-checkpoints.py`), { message: /weights of an unknown kind/ });
  });

  it('safetensors files with an inconsistent header are rejected', async () => {
    const write = (name: string, header: unknown, data: number) => {
      const text = typeof header === 'string' ? header : JSON.stringify(header);
      const bytes = Buffer.alloc(8 + text.length + data);
      bytes.writeBigUInt64LE(BigInt(text.length));
      bytes.write(text, 8);
      const path = join(folder, `${name}.safetensors`);
      writeFileSync(path, bytes);
      return path;
    };
    const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({
      dtype,
      shape,
      data_offsets: offsets,
    });
    for (const [name, header, data, problem] of [
      ['json', '{"a"', 0, /its header is not JSON/],
      ['dtype', { a: entry([1], [0, 4], 'F33') }, 4, /a has dtype "F33", expected one of/],
      ['shape', { a: entry([-1], [0, 4]) }, 4, /a has an invalid shape, expected up to 16 whole numbers of at least 0/],
      ['size', { a: entry([2], [0, 4]) }, 4, /a has 4 bytes, but its shape \[2\] needs 8/],
      ['end', { a: entry([2], [0, 8]) }, 4, /a extends beyond the end of the file/],
      ['overlap', { a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, 4, /overlap or leave a gap/],
      ['rest', { a: entry([1], [0, 4]) }, 9, /has bytes that belong to no array/],
    ] as const)
      await assert.rejects(openWeights(write(name, header, data)), { code: 'bad-input', message: problem }, name);
  });

  it('that do not fit a model are listed key by key, and nothing is loaded', async () => {
    await useBackend('wasm', { threads: 1 });
    const model = new RlipV2(tiny.tagger);
    initializeWeights(model.parameters, 1);
    const weights = [...model.parameters.values()].map((parameter) => ({
      name: parameter.name,
      shape: parameter.shape,
      read: () => parameter.values(),
    }));
    const fine = await writeSafetensors(join(folder, 'tiny.safetensors'), weights);
    const source = await openWeights(fine);
    await loadWeights(new RlipV2(tiny.tagger).parameters, source);
    await source.close();

    const other = [
      ...weights.slice(1, -1),
      { ...weights[0]!, shape: [1, ...weights[0]!.shape] },
      { ...weights[0]!, name: 'stranger' },
      { ...weights[0]!, name: 'transformer.ho_decoder.sub_bbox_embed.0.layers.0.weight' },
    ];
    const wrong = await openWeights(await writeSafetensors(join(folder, 'wrong.safetensors'), other));
    const empty = new RlipV2(tiny.tagger);
    const [first, last] = [weights[0]!, weights[weights.length - 1]!];
    await assert.rejects(loadWeights(empty.parameters, wrong), {
      code: 'bad-weights',
      message: [
        `${wrong.name}: does not fit the model`,
        `missing: ${last.name}`,
        'unexpected: stranger',
        `misshapen: ${first.name}: [1,${first.shape}] in the file, [${first.shape}] in the model`,
      ].join('\n  '),
    });
    assert.ok([...empty.parameters.values()].every(({ loaded }) => !loaded));
    await wrong.close();
    model.dispose();
  });
});
