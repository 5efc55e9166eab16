import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Random } from '../../src/records/random.js';
import { cvat } from '../../src/sources/cvat.js';
import { labelStudio } from '../../src/sources/label-studio.js';
import { pascalVoc } from '../../src/sources/pascal-voc.js';
import { yolo } from '../../src/sources/yolo.js';
import { mutateBytes, mutateJson, pick, writeJson } from './mutate.js';
import type { FuzzedReader } from './reader.js';
import { checkEntries, itemsOf, parseWhole } from './sources.js';

const region = (id: string, x: number) => ({
  id,
  type: 'rectanglelabels',
  from_name: 'label',
  to_name: 'image',
  original_width: 640,
  original_height: 480,
  value: { x, y: 10, width: 20, height: 30, rotation: 0, rectanglelabels: ['person'] },
});
const relation = { type: 'relation', from_id: 'a', to_id: 'b', direction: 'right', labels: ['riding'] };
const tasks = [
  { id: 1, data: { image: '/data/local-files/?d=images/1.jpg' }, annotations: [{ id: 5, result: [region('a', 1)] }] },
  {
    id: 2,
    data: { image: 's3://bucket/2.jpg' },
    annotations: [{ id: 6, was_cancelled: true, result: [] }],
    predictions: [{ score: 0.5, result: [region('a', 1), region('b', 40), { ...relation, score: 0.5 }] }],
  },
];

const object = (name: string, more = '') =>
  `<object><name>${name}</name>${more}<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>40</xmax><ymax>50</ymax></bndbox></object>`;
const voc = `<?xml version="1.0" encoding="UTF-8"?>
<annotation><folder>x</folder><filename>1.jpg</filename><source><database>The VOC2007 Database</database></source>
<size><width>640</width><height>480</height><depth>3</depth></size>
${object('person', '<pose>Left</pose><truncated>1</truncated>')}${object('horse &amp; <![CDATA[cart]]>')}</annotation>`;
const otherVoc = `<!DOCTYPE annotation [<!ENTITY x "y">]><annotation><filename>../1.jpg</filename><object>&x;&#x41;</object></annotation>`;

const cvatTask = `<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels><label><name>person</name></label></labels></task></meta>
<image id="0" name="a/1.jpg" width="640" height="480"><box label="person" occluded="0" xtl="1" ytl="2" xbr="30" ybr="40" z_order="0"><attribute name="x">y</attribute></box>
<polygon label="person" points="1,2;30,2;30,40" /><mask label="person" rle="2, 3, 1" left="5" top="5" width="3" height="2" /></image>
<image id="1" name="2.jpg" width="20" height="10"><polyline label="person" points="1,2;3,4" /></image></annotations>`;

const names = 'train: images\nnc: 2\nnames:\n  0: person\n  1: horse\n';
const labels = '0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.1 0.1 0.9\n0 0.1 0.1 0.4 0.1 0.4 0.4 0.1 0.4\n';
const PIXEL = Buffer.from('R0lGODlhAQABAAAAACw=', 'base64');

/** Changes the text of one of two files, so that the other one is read as it is. */
const changeText = (random: Random, text: string, other: string) =>
  mutateBytes(random, Buffer.from(text), Buffer.from(other));

/** The readers of what labeling tools write. */
export const labelingToolReaders: readonly FuzzedReader[] = [
  {
    name: 'label-studio',
    make: (random) => ({ 'tasks.json': writeJson(random, mutateJson(random, tasks)) }),
    read: async (folder, files) => {
      const items = await itemsOf(labelStudio({ annotations: join(folder, 'tasks.json') }), folder);
      checkEntries(items, parseWhole(files['tasks.json']!));
    },
  },
  {
    name: 'pascal-voc',
    make: (random) => ({ '1.xml': changeText(random, voc, otherVoc), '2.xml': Buffer.from(voc) }),
    read: async (folder) => {
      const items = await itemsOf(pascalVoc({ annotations: folder }), folder);
      const found = items.filter(({ record, rejects = [] }) => record || rejects.length > 0).length;
      assert.equal(found, 2, 'files read and rejected');
    },
  },
  {
    name: 'cvat',
    make: (random) => ({ 'annotations.xml': changeText(random, cvatTask, voc) }),
    read: async (folder) => {
      await itemsOf(cvat({ annotations: join(folder, 'annotations.xml') }), folder);
    },
  },
  {
    name: 'yolo',
    make: (random) => {
      const changed = pick(random, ['data.yaml', 'labels/1.txt', 'images/1.gif']);
      const whole = { 'data.yaml': names, 'labels/1.txt': labels, 'images/1.gif': PIXEL };
      const written = Object.entries(whole).map(([name, content]): [string, Buffer] => {
        const bytes = Buffer.from(content);
        return [name, name === changed ? mutateBytes(random, bytes, Buffer.from(labels)) : bytes];
      });
      return Object.fromEntries(written);
    },
    read: async (folder) => {
      const items = await itemsOf(yolo({ annotations: join(folder, 'data.yaml') }), folder);
      const found = items.filter(({ record, rejects = [] }) => record || rejects.length > 0).length;
      assert.ok(found <= 1, `${found} images`);
    },
  },
];
