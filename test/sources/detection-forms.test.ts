import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { cvat, detections, type ImageRecord, pascalVoc, yolo } from '../../src/index.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

/** Writes files of these contents, and images of 100 × 80 pixels where the content is null. */
async function put(files: Readonly<Record<string, string | null>>): Promise<string> {
  const folder = temporaryFolder();
  const pixels = await sharp({ create: { width: 100, height: 80, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content ?? pixels);
  }
  return folder;
}

/** Images by file, each with its boxes as `category x y w h`, rounded. */
const boxes = ({ records }: Awaited<ReturnType<typeof readSource>>) =>
  Object.fromEntries(
    (records as ImageRecord[]).map(({ image, detections }) => [
      `${image.id}: ${image.file}${image.split && ` (${image.split})`}`,
      detections.map(({ category, box }) => [category, ...box.map((side) => Math.round(side * 1e6) / 1e6)].join(' ')),
    ]),
  );

const dog =
  '<object><name>dog</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>60</xmax><ymax>70</ymax></bndbox></object>';
const size = '<size><width>100</width><height>80</height><depth>3</depth></size>';

describe('pascalVoc', () => {
  it('reads a folder of files, with the categories of all', async () => {
    const folder = await put({
      'Annotations/000005.xml': `<annotation><filename>000005.jpg</filename>${size}${dog}</annotation>`,
      'Annotations/b/7.xml': `<?xml version="1.0" encoding="ISO-8859-1"?><annotation><filename>7.png</filename>${size}
        <object><name>caf\u00e9 &amp; bar</name><bndbox><xmin>0.5</xmin><ymin>0</ymin><xmax>100</xmax><ymax>80</ymax></bndbox></object>
        <object><name>dog</name><robndbox><cx>1</cx></robndbox></object></annotation>`,
    });
    writeFileSync(
      join(folder, 'Annotations/c.xml'),
      Buffer.from(
        `<?xml version="1.0" encoding="ISO-8859-1"?><annotation><filename>c.jpg</filename>${size}${dog.replace('dog', 'caf\u00e9')}</annotation>`,
        'latin1',
      ),
    );
    const source = await detections({ annotations: join(folder, 'Annotations') });
    const read = await readSource(source);
    const { '7: 7.png': _, ...others } = boxes(read);
    assert.deepEqual(others, { '000005: 000005.jpg': ['dog 10 20 50 50'], 'c: c.jpg': ['café 10 20 50 50'] });
    assert.equal((read.records as ImageRecord[])[0]?.categories?.length, 3);
    assert.equal(read.counts['rotated-box'], 1);
    assert.equal((await source.files()).length, 3);
  });

  it("moves the corners of the challenge's own sets, which count pixels from 1, and finds JPEGImages", async () => {
    const folder = await put({
      'Annotations/1.xml': `<annotation><filename>1.jpg</filename><source><database>The VOC2007 Database</database></source>${dog}</annotation>`,
      'JPEGImages/1.jpg': null,
    });
    const read = await readSource(pascalVoc({ annotations: join(folder, 'Annotations', '*.xml') }));
    assert.deepEqual(boxes(read), { '1: JPEGImages/1.jpg': ['dog 9 19 51 51'] });
  });

  it('rejects a path out of the folder, and a box that is none, alone', async () => {
    const folder = await put({
      'a/1.xml': `<annotation><filename>data:,x</filename>${size}${dog}</annotation>`,
      'a/2.xml': `<annotation><filename>2.jpg</filename>${size}${dog.replace('60', 'x')}${dog}</annotation>`,
      'a/3.xml': `<annotation><filename>../../etc/3.jpg</filename>${size}${dog}</annotation>`,
    });
    const read = await readSource(pascalVoc({ annotations: join(folder, 'a') }));
    assert.deepEqual(boxes(read), { '2: 2.jpg': ['dog 10 20 50 50'], '3: 3.jpg': ['dog 10 20 50 50'] });
    assert.deepEqual([...read.reasons].sort(), ['malformed-box', 'unsafe-path']);
  });
});

describe('cvat', () => {
  const xml = `<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><name>t</name><labels>
<label><name>person</name></label><label><name>dog</name></label></labels></task></meta>
<image id="0" name="a/1.jpg" width="100" height="80" subset="Train">
  <box label="dog" xtl="10.00" ytl="20.00" xbr="60.00" ybr="70.00" occluded="0" z_order="0"><attribute name="age">1</attribute></box>
  <box label="dog" xtl="10" ytl="20" xbr="60" ybr="70" rotation="12.5"/>
  <polygon label="person" points="1.00,2.00;11.00,2.00;6.00,22.00"/>
  <mask label="person" rle="1, 2" left="3" top="4" width="5" height="6"/>
  <polyline label="dog" points="1,2;3,4"/><tag label="dog"/>
</image>
<image id="1" name="2.jpg" width="100" height="80"/>
</annotations>`;

  it('reads images, boxes and the labels of the task', async () => {
    const folder = await put({ 'annotations.xml': xml });
    const read = await readSource(await detections({ annotations: join(folder, 'annotations.xml') }));
    assert.deepEqual(boxes(read), {
      '0: a/1.jpg (Train)': ['dog 10 20 50 50', 'person 1 2 10 20', 'person 3 4 5 6'],
      '1: 2.jpg': [],
    });
    assert.deepEqual((read.records as ImageRecord[])[1]?.categories, ['person', 'dog']);
    assert.deepEqual(read.counts, { 'box-from-mask': 2, 'rotated-box': 1, 'shape-without-box': 1 });
  });

  it('reads a gzip file, in UTF-16 too', async () => {
    const folder = await put({});
    for (const encoding of ['utf8', 'utf16le'] as const) {
      const annotations = join(folder, `${encoding}.xml`);
      const text = encoding === 'utf8' ? xml : `\ufeff${xml.replace('utf-8', 'utf-16')}`;
      writeFileSync(annotations, gzipSync(Buffer.from(text, encoding)));
      assert.equal((await readSource(cvat({ annotations }))).records.length, 2);
    }
  });

  const entities =
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>';
  for (const [what, content, problem] of [
    [
      'entities that the file declares',
      `${entities}<annotations><image name="&b;"/></annotations>`,
      /undefined entity; entities that/,
    ],
    ['other files', `${entities}<annotations><image id="1">&f;</image></annotations>`, /undefined entity/],
    ['a video', '<annotations><track id="0" label="a"/></annotations>', /CVAT's format for videos/],
    ['a damaged file', '<annotations><image id="1"></annotations>', /is not XML that can be read, at 1:/],
    ['a file that ends early', xml.slice(0, 400), /is not XML that can be read/],
    ['deep nesting', `<annotations><image>${'<a>'.repeat(600)}`, /more than 512 elements are nested/],
    [
      'one element beyond the limit',
      `<annotations><image name="${'x'.repeat(17 << 20)}"/></annotations>`,
      /is longer than 16777216 bytes/,
    ],
    [
      'a million elements in one',
      `<annotations><image>${'<a/>'.repeat(1_000_001)}</image></annotations>`,
      /more than 1000000 elements/,
    ],
    ['an unknown encoding', '<?xml version="1.0" encoding="klingon"?><annotations/>', /has the encoding 'klingon'/],
  ] as const)
    it(`refuses ${what}`, async () => {
      const annotations = join(await put({ 'a.xml': content }), 'a.xml');
      await assert.rejects(readSource(cvat({ annotations })), problem);
    });
});

describe('yolo', () => {
  const data = 'path: /content/set\ntrain: ../train/images\nval: valid/images\nnames: [person, dog]\n';

  it('reads a set by its data.yaml, written on another computer', async () => {
    const folder = await put({
      'data.yaml': data,
      'train/images/1.jpg': null,
      'train/images/2.jpg': null,
      'train/labels/1.txt': '1 0.5 0.5 0.2 0.25\n0 0.1 0.1 0.1 0.1 0.75\n',
      'valid/images/1.jpg': null,
      'valid/labels/1.txt': '0 0.1 0.2 0.3 0.2 0.3 0.4\n0 1 2\n7 0.5 0.5 0.1 0.1\n',
    });
    for (const annotations of [join(folder, 'data.yaml'), folder]) {
      const source = await detections({ annotations });
      const read = await readSource(source);
      assert.deepEqual(boxes(read), {
        'train/images/1: train/images/1.jpg (train)': ['dog 40 30 20 20', 'person 5 4 10 8'],
        '2: train/images/2.jpg (train)': [],
        'valid/images/1: valid/images/1.jpg (val)': ['person 10 16 20 16'],
      });
      assert.equal((read.records as ImageRecord[])[0]?.detections[1]?.score, 0.75);
      assert.deepEqual((read.records as ImageRecord[])[0]?.categories, ['person', 'dog']);
      assert.equal(read.counts['malformed-annotation'], 1);
      assert.equal(read.counts['undefined-category'], 1);
      assert.equal((await source.files()).length, 3);
    }
  });

  it('reads folders and globs of labels with classes.txt, named by Label Studio too, and images in --images', async () => {
    const labels = {
      'set/labels/train/?d=7.txt': '0 0.5 0.5 1 1',
      'set/classes.txt': 'dog\ncat\n',
      'set/notes.json': '{}',
    };
    const together = await put({ ...labels, 'set/images/train/7.jpg': null });
    for (const annotations of [
      'set',
      'set/labels',
      'set/labels/train',
      'set/labels/*/*.txt',
      'set/labels/train/?d=7.txt',
    ])
      assert.deepEqual(
        boxes(await readSource(await detections({ annotations: join(together, annotations) }))),
        { '7: images/train/7.jpg': ['dog 0 0 100 80'] },
        annotations,
      );
    const apart = await put({ ...labels, 'photos/train/7.jpg': null, 'photos/8.jpg': null });
    const read = await readSource(yolo({ annotations: join(apart, 'set/labels'), images: join(apart, 'photos') }));
    assert.deepEqual(boxes(read), { '7: train/7.jpg': ['dog 0 0 100 80'] });
    const without = await readSource(yolo({ annotations: join(apart, 'set/labels') }));
    assert.deepEqual(without.reasons, ['malformed-image']);
  });

  it('reads lists of images, and nothing out of the folder of data.yaml', async () => {
    const outside = await put({ 'labels/9.txt': '0 0.5 0.5 1 1', 'images/9.jpg': null });
    const folder = await put({
      'data.yaml': 'train: train.txt\nnames:\n  0: dog\n',
      'train.txt': `./images/1.jpg\n/home/x/set/images/2.jpg\n${outside}/images/9.jpg\n`,
      'images/1.jpg': null,
      'images/2.jpg': null,
      'labels/1.txt': '0 0.5 0.5 1 1',
    });
    symlinkSync(join(outside, 'labels', '9.txt'), join(folder, 'labels', '2.txt'));
    const read = await readSource(yolo({ annotations: join(folder, 'data.yaml') }));
    assert.deepEqual(boxes(read), {
      '1: images/1.jpg (train)': ['dog 0 0 100 80'],
      '2: images/2.jpg (train)': [],
    });
    assert.deepEqual(read.reasons, ['malformed-image']);
    writeFileSync(join(folder, 'data.yaml'), `train: ${outside}/images\nnames: [dog]\n`);
    await assert.rejects(readSource(yolo({ annotations: folder })), /'train' is .*, which is not below the folder/);
  });

  it('refuses YAML that expands, has no names, or is damaged', async () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...[...'abcdefghi'].slice(1).map((key, k) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghi'[k]}`)}]`),
    ];
    for (const [text, problem] of [
      [`${bomb.join('\n')}\nnames: *i\n`, /is not YAML that can be read: Excessive alias count/],
      ['train: images\n', /'names' is missing, expected the names of the classes/],
      ['names: {x: dog}\n', /'names' has \{"x":"dog"\}, expected a number and a name/],
      ['names: {999999999: dog}\n', /expected a number and a name/],
      ['names: [dog\n', /is not YAML that can be read/],
      [`names: ${'['.repeat(100_000)}`, /is not YAML that can be read/],
    ] as const)
      await assert.rejects(
        readSource(yolo({ annotations: join(await put({ 'data.yaml': text }), 'data.yaml') })),
        problem,
      );
    const alone = await put({ 'labels/1.txt': '0 0.5 0.5 1 1' });
    await assert.rejects(readSource(yolo({ annotations: join(alone, 'labels') })), /no names of the classes/);
  });
});

describe("relflow run coco on a set in YOLO's format", () => {
  it('takes data.yaml as annotations, and refuses --compat', async () => {
    const folder = await put({
      'set/data.yaml': 'train: images\nnames: [person, dog]\n',
      'set/images/7.jpg': null,
      'set/labels/7.txt': '0 0.3 0.5 0.4 0.8\n1 0.6 0.6 0.4 0.4\n',
      'captions.json': '{"7.jpg": ["a person next to a dog"]}',
    });
    const captions = ['--captions', join(folder, 'captions.json')];
    const run = ['run', 'coco', '--annotations', join(folder, 'set/data.yaml'), ...captions, '--out'];
    const { code, stdout, stderr } = await relflow([...run, join(folder, 'out')]);
    assert.equal(code, 0, stderr);
    assert.match(`${stdout}${stderr}`, /images: 1 read, 1 written, 1 with relations/);
    const refused = await relflow([...run, join(folder, 'compat'), '--compat']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /yolo: 'compat' reads COCO's format only/);
  });
});
