import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { coco } from '../../src/sources/coco.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

const box = { x: 1, y: 2, width: 3, height: 4 };

/** The name in the message, and the content of a file as the tool writes it. */
const files: readonly (readonly [name: string, content: unknown])[] = [
  ['relflow', '{"format":"relflow.scene-graph/1","image":{"id":1}}\n'],
  [
    'Label Studio',
    [{ id: 1, data: { image: '1.jpg' }, annotations: [{ result: [{ value: { rectanglelabels: ['a'] } }] }] }],
  ],
  ['Label Studio', [{ image: '/data/upload/1.jpg', label: [{ ...box, original_width: 9 }] }]],
  [
    'labelme',
    { version: '5.0', shapes: [{ label: 'a', points: [[1, 1]], shape_type: 'rectangle' }], imagePath: '1.jpg' },
  ],
  ['the VGG Image Annotator', { _via_settings: {}, _via_img_metadata: {}, _via_attributes: {} }],
  [
    'the VGG Image Annotator',
    { '1.jpg12': { filename: '1.jpg', regions: { 0: { shape_attributes: { name: 'rect' } } } } },
  ],
  [
    'Datumaro',
    { info: {}, categories: { label: {} }, items: [{ id: '1', annotations: [{ type: 'bbox', label_id: 0 }] }] },
  ],
  ['SuperAnnotate', [{ metadata: { name: '1.jpg' }, instances: [{ type: 'bbox', className: 'a', points: {} }] }]],
  ['Supervisely', { size: box, objects: [{ classTitle: 'a', points: { exterior: [[1, 1]] } }] }],
  ['BDD100K or Scalabel', [{ name: '1.jpg', labels: [{ category: 'car', box2d: { x1: 1 } }] }]],
  ['Scalabel', { frames: [{ name: '1.jpg', labels: [] }] }],
  ['CreateML', [{ image: '1.jpg', annotations: [{ label: 'a', coordinates: box }] }]],
  ['the PSG data set', { thing_classes: ['a'], predicate_classes: ['on'], data: [] }],
  ['Detectron2', [{ file_name: '1.jpg', annotations: [{ bbox: [1, 2, 3, 4], bbox_mode: 0, category_id: 0 }] }]],
  ['MMDetection', [{ filename: '1.jpg', ann: { bboxes: [[1, 2, 3, 4]], labels: [0] } }]],
  ['MMDetection', { metainfo: { classes: ['a'] }, data_list: [{ img_path: '1.jpg', instances: [] }] }],
  ['CrowdHuman', '{"ID":"1","gtboxes":[]}\n{"ID":"2","gtboxes":[]}\n'],
  ['HICO-DET or V-COCO', [{ file_name: '1.jpg', annotations: [], hoi_annotation: [] }]],
  ['GQA', { 2407890: { width: 640, objects: { 271881: { name: 'a', relations: [] } } } }],
  ['the VRD data set', { '1.jpg': [{ predicate: 1, subject: { category: 1 }, object: { category: 2 } }] }],
  ['Pascal VOC or CVAT', '<annotation><filename>1.jpg</filename></annotation>'],
  ['Pascal VOC or CVAT', '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version></annotations>'],
  ['YOLO', '0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n'],
  ['YAML', '# my set\ntrain: images/train\nnames:\n  0: a\n'],
  [
    'the Open Images data set',
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n1,xclick,/m/0cmf2,1,0.1,0.2,0.3,0.4\n',
  ],
  ['a table', 'filename,label,x,y\n1.jpg,a,1,2\n'],
];

describe('a file in the format of another tool', () => {
  for (const [name, content] of files)
    it(`is named: ${name}`, async () => {
      const annotations = join(temporaryFolder(), 'a.json');
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      for (const bytes of [Buffer.from(text), gzipSync(text)]) {
        writeFileSync(annotations, bytes);
        await assert.rejects(readSource(coco({ annotations })), ({ message }: Error) => {
          assert.ok(message.startsWith(`${annotations}: the file is in the format of ${name}`), message);
          assert.match(message, /, expected COCO's object with 'images', 'annotations' and 'categories': [\w`]+/);
          return true;
        });
      }
    });

  it("is not assumed of a damaged file in COCO's format", async () => {
    const annotations = join(temporaryFolder(), 'a.json');
    const image = { id: 1, file_name: '1.jpg', box2d: 1, frames: 1, labels: 1 };
    writeFileSync(annotations, JSON.stringify({ images: [image], annotations: [] }));
    await assert.rejects(readSource(coco({ annotations })), /the array 'categories' is missing/);
  });
});
