import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { captionFile } from '../../src/captioners/caption-file.js';
import type { ImageRecord } from '../../src/records/image.js';
import { coco } from '../../src/sources/coco.js';
import { objects365 } from '../../src/sources/objects365.js';
import { visualGenome } from '../../src/sources/visual-genome.js';
import { readSource } from '../support/read-source.js';

const scene = (name: string) => fileURLToPath(new URL(`../../fixtures/scenes/${name}`, import.meta.url));
const images = scene('images');
const idsOf = (records: readonly ImageRecord[]) => records.map(({ image }) => image.id);

describe('the scenes in fixtures/', () => {
  it('can be read as COCO, and their irregularities are counted', async () => {
    const { records, reasons, counts } = await readSource(coco({ annotations: scene('instances.json'), images }));
    const { images: expected } = JSON.parse(readFileSync(scene('instances.json'), 'utf8')) as {
      images: { id: number }[];
    };
    assert.deepEqual(
      idsOf(records),
      expected.map(({ id }) => id),
    );
    assert.deepEqual(reasons, []);
    const { crowd, ...others } = counts;
    assert.ok((crowd ?? 0) > 0);
    assert.deepEqual(others, { 'zero-area': 1, 'duplicate-box': 1, clipped: 1, 'far-beyond-image': 1 });
  });

  it('have the same objects in the formats of Objects365 and Visual Genome', async () => {
    const { records } = await readSource(coco({ annotations: scene('instances.json') }));
    const other = await readSource(objects365({ annotations: scene('objects365.json') }));
    assert.deepEqual(idsOf(other.records), idsOf(records));
    assert.deepEqual(other.reasons, []);
    assert.equal(other.counts['undefined-category'], undefined);

    const imageData = scene('visual-genome/image_data.json');
    const files = {
      objects: scene('visual-genome/objects.json'),
      relationships: scene('visual-genome/relationships.json'),
    };
    const apart = await readSource(visualGenome({ ...files, imageData, images }));
    const together = await readSource(
      visualGenome({ sceneGraphs: scene('visual-genome/scene_graphs.json'), imageData, images }),
    );
    assert.deepEqual(idsOf(apart.records), idsOf(records));
    assert.deepEqual([apart.reasons, together.reasons], [[], []]);
    const withoutOrigin = (list: readonly ImageRecord[]) => list.map(({ origin: _, ...record }) => record);
    assert.deepEqual(withoutOrigin(together.records), withoutOrigin(apart.records));
    assert.ok(apart.records.some(({ relations }) => relations.length > 0));
  });

  it('have the same captions in both caption formats', async () => {
    const { records } = await readSource(coco({ annotations: scene('instances.json') }));
    const { signal } = new AbortController();
    const forms = [
      captionFile({ captions: scene('captions.json') }),
      captionFile({ captions: scene('captions-blip.json') }),
    ];
    for (const { image } of records) {
      const [a, b] = await Promise.all(
        forms.map(async (form) => (await form.caption(image, signal)).map(({ text }) => text)),
      );
      assert.deepEqual(a?.sort(), b?.sort());
      assert.ok((a?.length ?? 0) >= 2);
    }
    for (const form of forms) await form.close();
  });
});
