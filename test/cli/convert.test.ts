import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cocoRelations } from '../../src/index.js';
import { relflow, SCENES } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

/** The file of an export that `convert` reads again. */
const INPUTS: Readonly<Record<string, string>> = {
  coco: '',
  psg: '',
  hico: '',
  vcoco: '',
  'open-images': '',
  'visual-genome': 'scene_graphs.json',
  'label-studio': 'tasks.json',
  vg150: 'VG-SGG-with-attri.h5',
};

describe('relflow convert', () => {
  let run: string;

  before(async () => {
    run = join(temporaryFolder(), 'run');
    const { code, stderr } = await relflow(['run', 'demo', '--out', run]);
    assert.equal(code, 0, stderr);
  });

  for (const [format, input] of Object.entries(INPUTS))
    it(`reads ${format} as it was exported, and writes the same bytes`, async () => {
      const folder = temporaryFolder();
      const [first, second] = ['first', 'second'].map((name) => join(folder, name, 'set')) as [string, string];
      const exported = await relflow(['export', run, '--format', format, '--out', first]);
      assert.equal(exported.code, 0, exported.stderr);
      const images = join(SCENES, 'images');
      const from = ['--from', format, '--to', format, '--images', images];
      const { code, stderr, stdout } = await relflow(['convert', join(first, input), ...from, '--out', second]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /from 24 images with \d+ relations/);
      assert.deepEqual(digests(join(folder, 'second')), digests(join(folder, 'first')));
    });

  it('reads the folder of a run, and detections without relations', async () => {
    const folder = temporaryFolder();
    const graphs = await relflow([
      'convert',
      run,
      '--from',
      'scene-graphs',
      '--to',
      'coco',
      '--out',
      join(folder, 'coco'),
    ]);
    assert.match(graphs.stdout, /24 images with [1-9]\d* relations/);
    const annotations = join(SCENES, 'instances.json');
    const boxes = await relflow([
      'convert',
      annotations,
      '--from',
      'coco-detections',
      '--to',
      'reltr',
      '--out',
      join(folder, 'reltr'),
    ]);
    assert.match(boxes.stdout, /24 images with 0 relations/);
    assert.match(boxes.stderr, /no relation is left/);
  });

  it('says what the input has that cannot be used, and refuses options without effect', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'coco.json');
    writeFileSync(
      file,
      JSON.stringify({
        rel_annotations: [
          { image_id: 1, subject_id: 10, object_id: 11, predicate_id: 0 },
          { image_id: 1, subject_id: 10, object_id: 99, predicate_id: 0 },
          { image_id: 1, subject_id: 10, object_id: 11, predicate_id: 7 },
          { image_id: 1, subject_id: 'x', predicate_id: 0 },
          { image_id: 5, subject_id: 1, object_id: 2, predicate_id: 0 },
        ],
        annotations: [
          { id: 10, image_id: 1, category_id: 3, bbox: [0, 0, 5, 5] },
          { id: 11, image_id: 1, category_id: 3, bbox: [1, 1, 5, 5], score: 0.5 },
          { id: 12, image_id: 1, category_id: 3, bbox: [1, 1] },
        ],
        images: [{ id: 1, file_name: '1.jpg', width: 10, height: 10 }],
        categories: [{ id: 3, name: 'dog' }],
        rel_categories: [{ id: 0, name: 'next to' }],
      }),
    );
    const { records, reasons, counts } = await readSource(cocoRelations({ annotations: file }));
    assert.deepEqual(records[0]?.relations, [{ subject: 0, object: 1, predicate: 'next to' }]);
    assert.equal(records[0]?.detections[1]?.score, 0.5);
    assert.deepEqual(reasons, ['unknown-image']);
    assert.deepEqual(counts, {
      'malformed-annotation': 1,
      'malformed-relation': 1,
      'unknown-object': 1,
      'undefined-predicate': 1,
    });
    const out = join(folder, 'out');
    const { stderr } = await relflow(['convert', file, '--from', 'coco', '--to', 'psg', '--out', out]);
    assert.match(stderr, /input: 1 × unknown-image, first: image 5: has annotations, but is not in 'images'/);
    const wrong = await relflow(['convert', file, '--from', 'coco', '--to', 'psg', '--out', out, '--names', file]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /--names has no effect with --from coco/);
    const missing = await relflow(['convert', join(folder, 'no'), '--from', 'psg', '--to', 'coco', '--out', `${out}2`]);
    assert.equal(missing.code, 1);
    assert.ok(!existsSync(`${out}2`));
    const again = await relflow(['convert', file, '--from', 'coco', '--to', 'coco', '--out', out]);
    assert.match(again.stderr, /already exists/);
    assert.match(readFileSync(out, 'utf8'), /predicate_classes/);
  });
});
