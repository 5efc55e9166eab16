import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { captionFile } from '../../src/captioners/caption-file.js';
import { captionForms } from '../../src/captioners/caption-forms.js';
import { InputError, OptionError, RecordError } from '../../src/errors.js';
import { KeyedStore } from '../../src/files/spools/keyed-store.js';
import type { Id, Image } from '../../src/records/image.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const image = (id: Id): Image => ({ id, file: '', width: 1, height: 1, dataset: '', split: '' });
const { signal } = new AbortController();

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  const json = JSON.stringify(content);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(json) : json);
  return path;
}

/** Returns the captions of some images, null for images without captions. */
async function textsOf(captions: string, ids: readonly Id[], maxCaptions?: number): Promise<(string[] | null)[]> {
  const tempDir = temporaryFolder();
  const captioner = captionFile({ captions, tempDir, ...(maxCaptions && { maxCaptions }) });
  const texts: (string[] | null)[] = [];
  for (const id of ids) {
    try {
      texts.push((await captioner.caption(image(id), signal)).map(({ text }) => text));
    } catch (error) {
      assert.ok(error instanceof RecordError && error.reason === 'no-captions', `${error}`);
      texts.push(null);
    }
  }
  await captioner.close();
  assert.deepEqual(readdirSync(tempDir), []);
  return texts;
}

const coco = {
  info: {},
  images: [{ id: 1 }],
  licenses: [],
  annotations: [
    { image_id: 5, id: 1, caption: ' A dog. ' },
    { image_id: 7, id: 2, caption: 'A cat.\n' },
    { image_id: 5, id: 3, caption: 'A dog.' },
    { image_id: 5, id: 4, caption: '  ' },
    { image_id: 9, id: 5, caption: '' },
    { image_id: 'text', id: 6, caption: 'Собака 🐕' },
  ],
};
const byImage = { 5: ['A dog. ', 'A dog.', ' '], 7: ['A cat.'], 9: [], text: ['Собака 🐕'] };
const expected = [['A dog.', 'A dog.'], ['A cat.'], null, ['Собака 🐕'], null];

describe('captionFile', () => {
  it('reads the captions of an image in COCO’s format, in file order', async () => {
    assert.deepEqual(await textsOf(write('captions.json', coco), [5, 7, 9, 'text', 4]), expected);
    assert.deepEqual(await textsOf(write('captions.json.gz', coco), ['text', 9, 7, 5]), expected.slice(0, 4).reverse());
  });

  it('reads a map by image id, whether ids are numbers or strings', async () => {
    const file = write('map.json', byImage);
    assert.deepEqual(await textsOf(file, [5, 7, 9, 'text', 4]), expected);
    assert.deepEqual(await textsOf(file, ['5', '7', '9', 'text', '4']), expected);
    assert.deepEqual(await textsOf(write('empty.json', {}), [1]), [null]);
    const list = { 1: ['a'], annotations: [{ image_id: 1, caption: 'b' }] };
    assert.deepEqual(await textsOf(write('both.json', list), [1]), [['b']]);
  });

  it('names the file of a caption, and merges several files in order', async () => {
    mkdirSync(join(folder, 'parts'));
    write('parts/b.json', { 1: ['from b'], 2: ['only b'] });
    write('parts/a.json', { annotations: [{ image_id: 1, caption: 'from a' }] });
    const captioner = captionFile({ captions: join(folder, 'parts', '*.json'), maxCaptions: 2 });
    assert.deepEqual(await captioner.caption(image(1), signal), [
      { text: 'from a', source: 'a.json' },
      { text: 'from b', source: 'b.json' },
    ]);
    assert.deepEqual(await captioner.caption(image(2), signal), [{ text: 'only b', source: 'b.json' }]);
    assert.deepEqual(
      await captioner.files(),
      ['a.json', 'b.json'].map((name) => join(folder, 'parts', name)),
    );
    await captioner.close();
  });

  it('uses the first `maxCaptions` captions', async () => {
    assert.deepEqual(await textsOf(write('many.json', { 1: ['a', '', 'b', 'c'] }), [1], 2), [['a', 'b']]);
  });

  it('counts malformed and empty captions', async () => {
    const file = write('bad.json', {
      annotations: [
        { image_id: null, caption: 'x' },
        5,
        { image_id: 1, caption: 7 },
        { image_id: 1, caption: ' ' },
        { image_id: 1, caption: 'y' },
      ],
    });
    const map = write('bad-map.json', { 1: 'text', 2: [null, 'ok', ['x']], 3: {} });
    for (const [captions, problems, id] of [
      [file, ['malformed-caption', 'empty-caption'], 1],
      [map, ['malformed-caption', 'malformed-caption'], 2],
      [map, ['malformed-captions'], 3],
    ] as const) {
      const captioner = captionFile({ captions });
      const counted: string[] = [];
      const found = captioner.caption(image(id), signal, (problem) => counted.push(problem));
      if (id === 3) await assert.rejects(async () => found, { reason: 'no-captions' });
      else assert.equal((await found).length, 1);
      assert.deepEqual(counted, problems);
      await captioner.close();
    }
  });

  /** Returns the texts of images that have an id and a file, null for images without captions. */
  async function textsOfFiles(captions: string, images: readonly (readonly [Id, string, string?])[]) {
    const captioner = captionFile({ captions });
    const texts: (string | null)[] = [];
    for (const [id, file, split = ''] of images) {
      const found = captioner.caption({ ...image(id), file, split }, signal);
      texts.push(
        await Promise.resolve(found).then(
          (list) => list.map(({ text }) => text).join('|'),
          (error: RecordError) => (error.reason === 'no-captions' ? null : error.message),
        ),
      );
    }
    await captioner.close();
    return texts;
  }

  function writeText(name: string, content: string | Buffer): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it('finds an image by any form of its id, and by its file with or without folders and extension', async () => {
    const images = [
      [391895, '000000391895.jpg'],
      [522418, 'val2017/000000522418.jpg'],
    ] as const;
    for (const keys of [
      ['391895', '522418'],
      ['391895.0', '522418.0'],
      ['000000391895', '000000522418'],
      ['000000391895.jpg', '000000522418.JPG'],
      ['val2017/000000391895.jpg', 'val2017\\000000522418.jpg'],
      ['C:\\data\\val2017\\000000391895.jpg', '/data/val2017/000000522418.jpeg'],
      ['http://host/val2017/000000391895.jpg?x=1', './000000522418.png'],
      ['COCO_val2014_000000391895.jpg', 'coco_522418'],
      ['391895', '000000522418'],
    ]) {
      const file = write('keys.json', { [keys[0]!]: 'a', [keys[1]!]: ['b', 'c'] });
      assert.deepEqual(await textsOfFiles(file, images), ['a', 'b|c'], `${keys}`);
      assert.deepEqual(await textsOfFiles(file, [[7, 'other.jpg']]), [null]);
    }
    const other = write('keys.json', { 'Pictures/Straße.png': 'a', 'a.b': 'b', 'x#1.jpg': 'c', 'x#2.jpg': 'd' });
    const names = ['straße.PNG', 'set/a.b.jpg', 'x#1.jpg', 'x#2.jpg', 'x.jpg'].map((name, id) => [id, name] as const);
    assert.deepEqual(await textsOfFiles(other, names), ['a', 'b', 'c', 'd', null]);
    const texts = write('keys.json', { 391895: 'a', 1000092795: 'b' });
    assert.deepEqual(
      await textsOfFiles(texts, [
        ['000000391895', 'x/000000391895.jpg'],
        [3, '1000092795.jpg'],
      ]),
      ['a', 'b'],
    );
  });

  it('does not take the number of another image for a key', async () => {
    const byId = write('ids.json', { 7: 'seven', '007': 'double-o' });
    const images = [
      [7, 'a.jpg'],
      ['007', 'c.jpg'],
      [9, '7.jpg'],
      [10, '0007.jpg'],
    ] as const;
    assert.deepEqual(await textsOfFiles(byId, images), ['seven', 'double-o', null, null]);
    const padded = write('ids.json', { '000000000007': 'seven' });
    assert.deepEqual(
      await textsOfFiles(padded, [
        [7, '000000000123.jpg'],
        [7, 'seven.jpg'],
        [123, '000000000007.jpg'],
      ]),
      [null, 'seven', 'seven'],
    );
    const files = write('ids.json', { '7.jpg': 'file 7' });
    assert.deepEqual(
      await textsOfFiles(files, [
        [7, 'seven.jpg'],
        [8, '7.jpg'],
        [7, '000000000007.jpg'],
      ]),
      [null, 'file 7', 'file 7'],
    );
    // An entry with an id and a file belongs to the image with this file, whatever the numbering.
    const both = write('both-keys.json', [
      { image_id: 1, file_name: 'b.jpg', caption: 'of b' },
      { image_id: 2, file_name: 'a.jpg', caption: 'of a' },
      { image_id: 3, file_name: 'COCO_val2014_000000000003.jpg', caption: 'of 3' },
    ]);
    assert.deepEqual(
      await textsOfFiles(both, [
        [1, 'a.jpg'],
        [2, 'b.jpg'],
        [3, '000000000003.jpg'],
      ]),
      ['of a', 'of b', 'of 3'],
    );
  });

  it('finds a renumbered image by its file if a COCO file names the files of its images', async () => {
    const caption = (image_id: number) => ({ image_id, id: image_id, caption: `of ${image_id}` });
    const file = write('named.json', {
      images: [
        { id: 9, file_name: '000000000009.jpg' },
        { id: 25, file_name: 'COCO_val2014_000000000025.jpg' },
        { id: 30, file_name: 'x/thirty.jpg' },
        { id: 31, file_name: 'y/one.jpg' },
      ],
      annotations: [9, 25, 30, 31].map(caption),
    });
    const images = [
      [9, '000000000025.jpg'],
      [25, '000000000009.jpg'],
      [31, 'thirty.jpg'],
      [30, 'y/one_jpg.rf.0a1b2c3d4e5f.jpg'],
      [1, '000000000025_jpg.rf.0a1b2c3d4e5f.jpg'],
    ] as const;
    assert.deepEqual(await textsOfFiles(file, images), ['of 25', 'of 9', 'of 30', 'of 31', 'of 25']);
    const same = [
      [9, '9.jpg'],
      [25, '000000000025.jpg'],
      [30, 'thirty.png'],
    ] as const;
    assert.deepEqual(await textsOfFiles(file, same), ['of 9', 'of 25', 'of 30']);
    const captioner = captionFile({ captions: file });
    const counted: string[] = [];
    await captioner.caption({ ...image(30), file: 'other.jpg' }, signal, (problem) => counted.push(problem));
    await captioner.caption({ ...image(25), file: '000000000025.jpg' }, signal, (problem) => counted.push(problem));
    assert.deepEqual(counted, ['caption-of-other-file']);
    await captioner.close();
  });

  it('prefers the key with more folders in common, and rejects an image that two keys fit', async () => {
    const file = write('folders.json', {
      'train/1.jpg': 'train',
      'val/1.jpg': 'val',
      'x/y/2.jpg': 'y',
      '2.jpg': 'two',
    });
    assert.deepEqual(
      await textsOfFiles(file, [
        [1, 'val/1.jpg'],
        [1, 'set/train/1.jpg'],
        [1, 'other/1.jpg'],
        [1, '1.jpg', 'train'],
        [1, '1.jpg'],
        [2, 'y/2.jpg'],
        [2, 'z/2.jpg'],
      ]),
      [
        'val',
        'train',
        null,
        'train',
        'caption-file: "train/1.jpg" and "val/1.jpg" both fit image 1 (1.jpg)',
        'y',
        'two',
      ],
    );
  });

  it('reads about as many values as there are images when thousands have the same name', async () => {
    const count = 2000;
    const paths = Array.from({ length: count }, (_, k) => `videos/${k}/frames/1.jpg`);
    const file = write('same-names.json', Object.fromEntries(paths.map((path, k) => [path, [`caption ${k}`]])));
    const { get } = KeyedStore.prototype;
    let values = 0;
    KeyedStore.prototype.get = async function (id) {
      const found = await get.call(this, id);
      values += found.length;
      return found;
    };
    try {
      const ids = paths.map((_, k) => k + 1_000_000);
      const written = [
        (k: number) => paths[k]!,
        (k: number) => `${k}/frames/1.jpg`,
        (k: number) => `/data/${paths[k]}`,
      ];
      const images = ids.map((id, k) => [id, written[k % 3]!(k)] as const);
      assert.deepEqual(
        await textsOfFiles(file, images),
        paths.map((_, k) => `caption ${k}`),
      );
      assert.ok(values <= 4 * count, `${values} values`);
    } finally {
      KeyedStore.prototype.get = get;
    }
    assert.deepEqual(await textsOfFiles(file, [[7, '1.jpg']]), [
      'caption-file: more than 1000 keys fit image 7 (1.jpg)',
    ]);
  });

  it('reads lists of results, JSON lines, Karpathy’s form and tables', async () => {
    const images = [
      [5, 'a.jpg'],
      [6, 'sub/000000000006.jpg'],
    ] as const;
    const expected = ['a dog|a "big", old dog', 'a cat'];
    const rows = [
      { image_id: 5, caption: 'a dog' },
      { image_id: '6', caption: ['a cat'] },
      { file_name: 'a.jpg', caption: 'a "big", old dog' },
    ];
    const list = write('list.json', rows.slice(0, 2));
    assert.deepEqual(await textsOfFiles(list, images), ['a dog', 'a cat']);
    const idLines = [rows[0], rows[1], { image_id: 5.0, text: 'a "big", old dog' }];
    for (const end of ['\n', '\r\n', '\n\n']) {
      const lines = writeText('lines.jsonl', idLines.map((row) => JSON.stringify(row)).join(end));
      assert.deepEqual(await textsOfFiles(lines, images), expected);
    }
    const one = writeText('one.jsonl', '{"image": "a.jpg", "caption": "a dog"}\n');
    assert.deepEqual(await textsOfFiles(one, images), ['a dog', null]);
    const karpathy = write('karpathy.json', {
      images: [
        { cocoid: 5, filename: 'a.jpg', sentences: [{ raw: 'a dog' }, { raw: 'a "big", old dog' }] },
        { filepath: 'sub', filename: '000000000006.jpg', imgid: 5, sentences: [{ raw: 'a cat', tokens: [] }] },
      ],
      dataset: 'coco',
    });
    assert.deepEqual(await textsOfFiles(karpathy, images), expected);
    for (const table of [
      'file,caption\na.jpg,a dog\nsub/000000000006.jpg,a cat\na.jpg,"a ""big"", old dog"\n',
      'File_Name\tid\tCaption\r\na.jpg\t5\ta dog\r\n\t6\ta cat\r\na.jpg\t5\ta "big", old dog\r\n',
      'image_name| comment_number| comment\na.jpg| 0| a dog\n000000000006.jpg| 0| a cat\na.jpg| 1| a "big", old dog\n',
      'image_id;caption\n5;a dog\n6;a cat\n5;a "big", old dog\n',
      'caption,image\n"a dog",a.jpg\na cat,000000000006\n"a ""big"", old dog",a.jpg',
      'a.jpg#0\ta dog\n000000000006.jpg#0\ta cat\na.jpg#1\ta "big", old dog\n',
    ]) {
      assert.deepEqual(await textsOfFiles(writeText('table.csv', table), images), expected, table);
    }
    const utf16 = Buffer.from('\ufefffile,caption\na.jpg,"ein\nHünd"\n', 'utf16le');
    assert.deepEqual(await textsOfFiles(writeText('table.csv', utf16), images), ['ein\nHünd', null]);
  });

  it('reads the fields that models and data sets name captions by, in a list, in `images`, or in an object around them', async () => {
    const images = [[7, 'a.jpg']] as const;
    const found = ['a dog'];
    for (const content of [
      [{ Image: 'a.jpg', Caption: 'a dog' }],
      [{ url: 'https://host/a.jpg?x=1', caption: 'a dog' }],
      [{ image: 'a.jpg', generated_text: 'a dog' }],
      [{ image_id: 7, pred_caption: 'a dog' }],
      [{ id: 7, caption: 'a dog' }],
      { 'a.jpg': { text: 'a dog', model: 'm' } },
      { images: [{ id: 7, file_name: 'a.jpg', caption: 'a dog' }] },
      { images: [{ id: 7, file_name: 'a.jpg', captions: ['a dog'] }], info: {} },
      { captions: { 7: ['a dog'] } },
      { dataset: 'TextCaps', data: [{ image_id: '7', caption_str: 'a dog', id: 999 }] },
      // A description of an image in COCO's file is not its caption.
      {
        images: [{ id: 7, file_name: 'a.jpg', description: 'IMG 7' }],
        annotations: [{ id: 1, image_id: 7, caption: 'a dog' }],
      },
    ])
      assert.deepEqual(await textsOfFiles(write('named.json', content), images), found, JSON.stringify(content));
  });

  it('finds a file that Label Studio has renamed by the name before, if no key has the new name', async () => {
    const images = [
      [1, 'images/1a2b3c4d-dog.jpg'],
      [2, 'images/5e6f7a8b-cat.jpg'],
      [3, '3f2504e0-4f89-11d3-9a0c-0305e82c3301.jpg'],
    ] as const;
    const captions = {
      'dog.jpg': ['a dog'],
      'cat.jpg': ['another cat'],
      '5e6f7a8b-cat.jpg': ['a cat'],
      '4f89-11d3-9a0c-0305e82c3301.jpg': ['not a prefix'],
    };
    assert.deepEqual(await textsOfFiles(write('uploads.json', captions), images), ['a dog', 'a cat', null]);
  });

  it('refuses a file that has no captions in any form, and lists the forms', async () => {
    for (const [content, problem] of [
      [
        '{"images": [], "annotations": [{"image_id": 7, "bbox": [0, 0, 1, 1]}]}',
        'no captions found, the first entry is {"image_id":7,"bbox":[0,0,1,1]}',
      ],
      ['[{"regions": []}]', 'no captions found, the first entry is {"regions":[]}'],
      ['{"model": 5}', 'no captions found, the first entry is {"model":5}'],
      ['a dog on a horse\n', 'the first line is "a dog on a horse"'],
      ['name,size\na,5\n', 'the first line is "name,size"'],
      ['<html></html>', 'the file is an HTML page: a download that failed or needs a login gives such a page'],
      ['PK\x03\x04\x14', 'the file is a zip archive: unpack it'],
    ] as const) {
      const path = writeText('other.json', content);
      const captioner = captionFile({ captions: path });
      await assert.rejects(async () => captioner.caption(image(7), signal), {
        name: 'InputError',
        message: `${path}: ${problem}; ${captionForms}`,
      });
      await captioner.close();
    }
  });

  it('names two keys of the files and the image that has no caption', async () => {
    const captioner = captionFile({ captions: write('three.json', { 'x.jpg': 'a', 5: ['b'], z: '' }) });
    await assert.rejects(async () => captioner.caption({ ...image(7), file: 'y.jpg' }, signal), {
      message:
        "caption-file: no caption for image 7 (y.jpg); the files have 3 entries, for images such as '5' and 'x.jpg'",
    });
    await assert.rejects(async () => captioner.caption({ ...image(7), file: 'z.jpg' }, signal), {
      message: 'caption-file: all captions of image 7 are empty or malformed',
    });
    assert.deepEqual(await captioner.keys(), { entries: 3, examples: ['5', 'x.jpg'] });
    await captioner.close();
  });

  it('reads its files once for many concurrent calls', async () => {
    const tempDir = temporaryFolder();
    const file = write('large.json', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, [`caption ${i}`]])));
    const captioner = captionFile({ captions: file, tempDir });
    const all = await Promise.all(Array.from({ length: 5000 }, (_, id) => captioner.caption(image(id), signal)));
    assert.equal(readdirSync(tempDir).length, 1);
    for (const [i, [caption]] of all.entries()) assert.equal(caption?.text, `caption ${i}`);
    await captioner.close();
    assert.deepEqual(readdirSync(tempDir), []);
    assert.equal((await captioner.caption(image(1), signal)).length, 1);
    await captioner.close();
  });

  it('reports errors in its files at each call', async () => {
    const tempDir = temporaryFolder();
    const path = join(folder, 'cut.json');
    writeFileSync(path, '{"1": ["a"], "2": ["b"');
    const captioner = captionFile({ captions: path, tempDir });
    for (let i = 0; i < 2; i++) await assert.rejects(async () => captioner.caption(image(1), signal), InputError);
    writeFileSync(path, '["a"]');
    await assert.rejects(async () => captioner.caption(image(1), signal), {
      message: `${path}: no captions found, the first entry is "a"; ${captionForms}`,
    });
    await captioner.close();
    assert.deepEqual(readdirSync(tempDir), []);
    const none = join(folder, 'none.json');
    await assert.rejects(captionFile({ captions: none }).files(), { message: `${none}: no such file` });
    assert.throws(() => captionFile({ captions: '' }), {
      message: "caption-file: 'captions' is missing, expected a path or a glob",
    });
    assert.throws(() => captionFile({ captions: 'x', maxCaptions: 0 }), OptionError);
  });
});
