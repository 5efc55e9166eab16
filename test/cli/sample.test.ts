import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

/** Two photographs of 60 x 40 pixels: a man on one of two horses, and nothing that a caption relates. */
async function writeSet(folder: string): Promise<void> {
  const box = (id: number, image: number, category: number, bbox: readonly number[]) => ({
    id,
    image_id: image,
    category_id: category,
    bbox,
    area: bbox[2]! * bbox[3]!,
    iscrowd: 0,
  });
  await mkdir(join(folder, 'images'), { recursive: true });
  const image = sharp({ create: { width: 60, height: 40, channels: 3, background: '#336699' } }).png();
  for (const id of [1, 2]) await image.clone().toFile(join(folder, 'images', `${id}.png`));
  await writeFile(
    join(folder, 'instances.json'),
    JSON.stringify({
      images: [1, 2].map((id) => ({ id, file_name: `${id}.png`, width: 60, height: 40 })),
      categories: [
        { id: 1, name: 'person' },
        { id: 2, name: 'horse' },
      ],
      annotations: [
        box(1, 1, 1, [10, 5, 10, 20]),
        box(2, 1, 2, [5, 15, 25, 20]),
        box(3, 1, 2, [40, 15, 19, 20]),
        box(4, 2, 1, [10, 5, 10, 20]),
      ],
    }),
  );
  await writeFile(
    join(folder, 'captions.json'),
    JSON.stringify({ 1: ['A man riding a horse.'], 2: ['A man in a field.'] }),
  );
  const { code, stderr } = await relflow([
    ...['run', 'coco', '--annotations', join(folder, 'instances.json'), '--captions', join(folder, 'captions.json')],
    ...['--out', join(folder, 'out'), '--progress', 'none'],
  ]);
  assert.equal(code, 0, stderr);
}

describe('relflow sample and relflow evaluate judged', () => {
  const folder = temporaryFolder();
  const path = (...parts: string[]) => join(folder, ...parts);
  const sample = (out: string, ...flags: string[]) =>
    relflow(['sample', path('out'), '--images', path('images'), '--out', path(out), ...flags]);
  const rowsOf = async (out: string) => (await readFile(path(out, 'relations.csv'), 'utf8')).trimEnd().split('\n');

  before(() => writeSet(folder));

  it('draws the boxes of relations on numbered sheets with a row each', async () => {
    const { code, stdout } = await sample('sheet');
    assert.equal(code, 0);
    assert.match(stdout, /^2 images, 1 of them without relations; \d+ relations on 1 sheets/);
    assert.deepEqual((await readdir(path('sheet'))).sort(), ['relations.csv', 'sheet-001.jpg']);
    const [head, first = ''] = await rowsOf('sheet');
    assert.equal(head, 'relation,image,subject,predicate,object,confidence,source,subjects,objects,match,triplet,pair');
    assert.match(first, /^1,1\.png,person,riding,horse,0\.\d+,caption,1,2,,,$/);
    const { data, info } = await sharp(path('sheet', 'sheet-001.jpg')).raw().toBuffer({ resolveWithObject: true });
    const near = (color: readonly number[]) => {
      let count = 0;
      for (let k = 0; k < data.length; k += info.channels)
        if (color.every((value, channel) => Math.abs(data[k + channel]! - value) < 40)) count++;
      return count;
    };
    for (const color of [
      [255, 220, 0],
      [0, 230, 255],
      [0x33, 0x66, 0x99],
    ])
      assert.ok(near(color) > 500, String(color));
  });

  it('takes the same images for the same seed', async () => {
    await sample('seed-1', '--count', '1', '--seed', '1');
    await sample('seed-1-again', '--count', '1', '--seed', '1');
    assert.deepEqual(await rowsOf('seed-1'), await rowsOf('seed-1-again'));
    const others = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((seed) => sample(`count-${seed}`, '--count', '1', '--seed', `${seed}`)),
    );
    assert.equal(
      new Set(others.map(({ stdout }) => /\d+ relations/.exec(stdout)?.[0])).size,
      2,
      'seeds change nothing',
    );
  });

  it('never writes over the judgments of a person', async () => {
    await sample('twice');
    const { code, stderr } = await sample('twice');
    assert.equal(code, 1);
    assert.match(stderr, /relations\.csv.*already exists/);
  });

  it('reads no image through a link out of the folder, and says so', async () => {
    await mkdir(path('linked'));
    await writeFile(path('secret.png'), await readFile(path('images', '1.png')));
    await symlink(path('secret.png'), path('linked', '1.png'));
    const { code, stderr } = await relflow([
      ...['sample', path('out'), '--images', path('linked'), '--out', path('linked-sheet')],
    ]);
    assert.equal(code, 0);
    assert.match(stderr, /1 images cannot be read, and their boxes are drawn on gray; the first: a link leads/);
    await unlink(path('linked', '1.png'));
  });

  const judged = (...rows: string[]) =>
    writeFile(
      path('judged.csv'),
      `${[
        'relation,image,subject,predicate,object,confidence,source,subjects,objects,match,triplet,pair',
        ...rows,
      ].join('\n')}\n`,
    );

  it('prints the share of true pairs by repetition, predicate, source and confidence', async () => {
    await judged(
      '1,1.jpg,person,riding,horse,0.9,caption,1,1,yes,yes,yes',
      '2,1.jpg,person,on,horse,0.85,caption,1,3,yes,yes,y',
      '3,2.jpg,dog,behind,dog,0.2,geometry,2,2,1,1,0',
      '4,2.jpg,dog,behind,dog,0.2,geometry,2,2,,,?',
      '5,2.jpg,dog,behind,dog,,people,2,2,,,',
    );
    const { code, stdout } = await relflow(['evaluate', 'judged', path('judged.csv'), '--json']);
    assert.equal(code, 0);
    const result = JSON.parse(stdout);
    assert.deepEqual(
      [result.relations, result.images, result.unjudged, result.unsure, result.pair.count, result.pair.of],
      [5, 2, 1, 1, 2, 3],
    );
    const shares = (groups: { group: string; pair: { count: number; of: number } }[]) =>
      Object.fromEntries(groups.map(({ group, pair: { count, of } }) => [group, [count, of]]));
    assert.deepEqual(shares(result.byRepetition), {
      'one pair possible': [1, 1],
      'one side repeated': [1, 1],
      'both repeated': [0, 1],
    });
    assert.deepEqual(shares(result.byKind), { on: [2, 2], behind: [0, 1] });
    assert.deepEqual(shares(result.bySource), { caption: [2, 2], geometry: [0, 1] });
    assert.deepEqual(shares(result.byConfidence), { '0.2–0.3': [0, 1], '0.8–0.9': [1, 1], '0.9–1.0': [1, 1] });
    const table = await relflow(['evaluate', 'judged', path('judged.csv')]);
    assert.match(table.stdout, /both repeated +1 +0\.0 \(0\.0–79\.3\) +0\.20/);
  });

  it('names rows that cannot be used', async () => {
    await judged(
      '1,1.jpg,person,riding,horse,0.9,caption,1,1,yes,yes,yes',
      '2,1.jpg,person,on,horse,0.8,caption,1,1,yes,no,yes',
      '3,1.jpg,person,on,horse,0.8,caption,1,1,yes,yes,maybe',
      '1,1.jpg,person,on,horse,0.8,caption,1,1,yes,yes,no',
    );
    const { code, stderr } = await relflow(['evaluate', 'judged', path('judged.csv')]);
    assert.equal(code, 0);
    assert.match(stderr, /3 invalid rows skipped/);
    assert.match(stderr, /line 3: pair is yes and triplet is no/);
    assert.match(stderr, /line 4: pair 'maybe', expected yes, no or \?/);
    assert.match(stderr, /line 5: relation 1 has a row before/);
  });

  it('refuses a file that is not filled in yet', async () => {
    await judged('1,1.jpg,person,riding,horse,0.9,caption,1,1,,,');
    const { code, stderr } = await relflow(['evaluate', 'judged', path('judged.csv')]);
    assert.equal(code, 1);
    assert.match(stderr, /no row has yes or no in the column pair/);
  });
});
