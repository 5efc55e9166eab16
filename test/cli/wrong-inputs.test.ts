import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

interface Instances {
  images: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
  categories: Record<string, unknown>[];
}

const instances = join(SCENES, 'instances.json');
const captions = join(SCENES, 'captions.json');

/** Returns the scenes' annotation file after a change. */
function changed(change: (content: Instances) => unknown): string {
  const content = JSON.parse(readFileSync(instances, 'utf8')) as Instances;
  return JSON.stringify(change(content) ?? content);
}

const everyAnnotation = (change: (annotation: Record<string, unknown>) => void) =>
  changed(({ annotations }) => {
    annotations.forEach(change);
  });

describe('relflow run on a wrong input exits with 1 and names the mistake', function () {
  this.timeout(60_000);

  /** What is wrong, the content of the annotation file or the caption file, more flags, and the line on standard error. */
  const cases: [what: string, files: { annotations?: string; captions?: string; flags?: string[] }, line: RegExp][] = [
    ['an empty annotation file', { annotations: '' }, /annotations\.json: the file is empty/],
    [
      'empty lists',
      { annotations: '{"images":[],"annotations":[],"categories":[]}' },
      /annotations\.json: the input has no images/,
    ],
    ['an HTML page', { annotations: '<html><body>404</body></html>' }, /the file is an HTML page/],
    ['a git-lfs pointer', { annotations: 'version https://git-lfs.github.com/spec/v1\n' }, /is a git-lfs pointer/],
    ['a truncated file', { annotations: readFileSync(instances, 'utf8').slice(0, 1000) }, /truncated JSON/],
    ['a list of detections', { annotations: changed(({ annotations }) => annotations) }, /is a list of detections/],
    ['captions as annotations', { flags: ['--annotations', captions] }, /a file of captions, expected instances/],
    ['no such annotation file', { flags: ['--annotations', 'none.json'] }, /none\.json: no such file/],
    ['a folder as annotation file', { flags: ['--annotations', SCENES] }, /is a folder without labels of YOLO/],
    ['annotations as captions', { flags: ['--captions', instances] }, /no captions found/],
    ['no captions', { captions: '{}' }, /24 of 24 images have no caption/],
    ['captions of other images', { captions: '{"999999": ["a man on a horse"]}' }, /24 of 24 images have no caption/],
    ['a text as captions', { captions: 'a man on a horse' }, /captions\.json: /],
    [
      'annotations without boxes',
      { annotations: everyAnnotation((annotation) => Object.assign(annotation, { bbox: null })) },
      /130 of 130 boxes are not four usable numbers/,
    ],
    [
      'annotations of other images',
      {
        annotations: everyAnnotation((annotation) =>
          Object.assign(annotation, { image_id: `x${annotation['image_id']}` }),
        ),
      },
      /images have annotations but are not in `images`/,
    ],
    [
      'other category ids',
      { annotations: everyAnnotation((annotation) => Object.assign(annotation, { category_id: 5000 })) },
      /126 of 130 boxes have a category that the list of categories does not have/,
    ],
    [
      'the wrong image folder',
      {
        annotations: changed(({ images }) => {
          for (const image of images) image['file_name'] = `other-${image['file_name']}`;
        }),
        flags: ['--images', join(SCENES, 'images')],
      },
      /24 of 24 images have no file in the image folder/,
    ],
    ['no such image folder', { flags: ['--images', 'none'] }, /none: no such image folder/],
    [
      'a threshold that nothing passes',
      { flags: ['--threshold', '1'] },
      /(\d+) of \1 candidate relations score at or below/,
    ],
  ];

  it('COCO files for Visual Genome', async () => {
    const genome = join(SCENES, 'visual-genome');
    const [graphs, sizes] = [join(genome, 'scene_graphs.json'), join(genome, 'image_data.json')];
    for (const [sceneGraphs, imageData] of [
      [instances, sizes],
      [graphs, instances],
    ]) {
      const inputs = ['--scene-graphs', sceneGraphs!, '--image-data', imageData!];
      const { code, stderr } = await relflow([
        'run',
        'visual-genome',
        ...inputs,
        '--out',
        join(temporaryFolder(), 'o'),
      ]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /instances\.json: the file is in COCO's format, expected a list in Visual Genome's/);
    }
  });

  it('but one image is one record', async () => {
    const inputs = ['--annotations', instances, '--captions', captions, '--limit', '1', '--allow-empty'];
    const { stdout } = await relflow(['run', 'coco', ...inputs, '--out', join(temporaryFolder(), 'out')]);
    assert.match(stdout, /^1 record in /m);
  });

  for (const [what, files, line] of cases)
    it(what, async () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'in'));
      const path = (name: 'annotations' | 'captions', usual: string) => {
        const content = files[name];
        if (content === undefined) return usual;
        const file = join(folder, 'in', `${name}.json`);
        writeFileSync(file, content);
        return file;
      };
      const inputs = ['--annotations', path('annotations', instances), '--captions', path('captions', captions)];
      const args = ['run', 'coco', ...inputs, ...(files.flags ?? []), '--out', join(folder, 'out'), '--quiet'];
      const { code, stderr } = await relflow(args);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^relflow: .*\n$/);
      assert.match(stderr, line);
    });
});
