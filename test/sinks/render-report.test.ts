import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { encodeJpeg } from '../../src/files/encode-jpeg.js';
import { readImageHeader } from '../../src/files/image-header.js';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import { renderReport } from '../../src/sinks/render-report.js';
import { buildReportPage } from '../../src/sinks/report-page.js';
import { temporaryFolder } from '../support/folders.js';

const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
const HOSTILE = `</title></style><script>alert(1)</script><img src=x onerror='alert(1)'>" onload="alert(1)&`;

function scene(change: Partial<SceneGraph> = {}): SceneGraph {
  return {
    format: 'relflow.scene-graph/1',
    image: { id: 7, file: '7.jpg', width: 400, height: 300, dataset: 'coco2017', split: 'val2017' },
    objects: [
      { id: 1, category: 'person', box: [10, 20, 50, 120], score: 0.98 },
      { id: 2, category: 'horse', box: [15.25, 80, 160, 140] },
      { id: 3, category: 'horse', box: [220, 90, 150, 130] },
    ],
    captions: [{ text: 'a man riding a horse', source: 'captions.json' }],
    relations: [
      { subject: 2, object: 1, predicate: 'near', confidence: 0.125, captions: [0] },
      { subject: 0, object: 1, predicate: 'riding', confidence: 0.876, captions: [0] },
    ],
    provenance: {
      origin: { source: 'coco', file: 'instances.json' },
      operators: [],
      tagger: { name: 'prior', version: '1', baseline: true },
    },
    ...change,
  };
}

const page = (graph: SceneGraph, rest: { imageDataUri?: string } = {}) =>
  renderReport({ title: 'Report', scenes: [{ graph, ...rest }] });

describe('renderReport', () => {
  it('shows boxes, captions and relations, the most confident first', () => {
    const html = page(scene(), { imageDataUri: PIXEL });
    assert.match(html, /<svg viewBox="0 0 400 300"/);
    assert.ok(html.includes(`<image href="${PIXEL}" width="400" height="300"`));
    assert.match(html, /<rect x="15\.3" y="80" width="160" height="140"\/>/);
    assert.match(html, /person 0\.98<\/text>/);
    assert.match(html, /<li>a man riding a horse /);
    assert.ok(html.indexOf('<b>riding</b> horse 1') < html.indexOf('horse 2 <b>near</b> horse 1'));
    assert.match(html, /<i style="width:87\.6%">/);
    assert.match(html, /<span class="source">caption 1<\/span>/);
  });

  it('has one rule and one pair of boxes per relation', () => {
    const html = page(scene());
    for (const index of [0, 1]) {
      assert.ok(html.includes(`.scene:has(.relation-${index}:is(:hover,:focus)) .pair-${index}{display:inline}`));
      assert.ok(html.includes(`<li class="relation-${index}" tabindex="0">`));
      assert.ok(html.includes(`<g class="pair pair-${index}">`));
    }
    assert.ok(!html.includes('pair-2'));
  });

  it('draws a plain background of the right size without an image', () => {
    assert.match(page(scene()), /<rect class="ground" width="400" height="300"\/>/);
  });

  it('marks a baseline tagger, and only a baseline', () => {
    assert.match(page(scene()), /role="note"><b>Baseline\.<\/b> The relations were scored by <b>prior<\/b> 1\./);
    const learned = { ...scene().provenance, tagger: { name: 'r-tagger', version: '2', baseline: false } };
    const html = page(scene({ provenance: learned }));
    assert.match(html, /Relations scored by <b>r-tagger<\/b> 2\./);
    assert.ok(!html.includes('Baseline'));
  });

  it('states that there are no relations, or that people annotated them', () => {
    assert.match(page(scene({ relations: [], captions: [] })), /No relations\./);
    const byPeople = page(scene({ relations: [{ subject: 0, object: 1, predicate: 'riding' }] }));
    assert.match(byPeople, /<span class="score">by people<\/span>/);
  });

  it('lists at most 100 relations per image and counts the rest', () => {
    const relations = Array.from({ length: 130 }, () => ({
      subject: 0,
      object: 1,
      predicate: 'near',
      confidence: 0.5,
    }));
    const html = page(scene({ relations }));
    assert.equal(html.match(/<li class="relation-/g)?.length, 100);
    assert.match(html, /and 30 more/);
  });

  it('escapes all texts that come from files', () => {
    const clean = renderReport({ title: 't', summary: [{ label: 'l', value: 'v' }], scenes: [{ graph: scene() }] });
    const hostile = renderReport({
      title: HOSTILE,
      summary: [{ label: HOSTILE, value: HOSTILE }],
      scenes: [
        {
          graph: scene({
            image: { ...scene().image, file: HOSTILE },
            objects: scene().objects.map((object) => ({ ...object, category: HOSTILE })),
            captions: [{ text: HOSTILE, source: HOSTILE }],
            relations: scene().relations.map((relation) => ({ ...relation, predicate: HOSTILE })),
            provenance: { ...scene().provenance, tagger: { name: HOSTILE, version: HOSTILE, baseline: true } },
          }),
        },
      ],
    });
    // The tags and attributes equal those of a harmless page: no text became markup.
    const tags = (html: string) =>
      html.match(/<[^>]*>/g)!.map((tag) => tag.replace(/="[^"]*"/g, '=""').replace(/hsl.*?\)/g, ''));
    assert.deepEqual(tags(hostile), tags(clean));
    assert.ok(!/<script|<img|<\/title><\/style>/.test(hostile));
  });

  it('replaces values that are not numbers', () => {
    const box = ['"/><script>', Number.NaN, 1, 1] as unknown as SceneGraph['objects'][number]['box'];
    const html = page(scene({ objects: [{ id: 1, category: 'person', box }], relations: [] }));
    assert.match(html, /<rect x="0" y="0" width="1" height="1"\/>/);
  });

  it('loads nothing from outside and has no script', () => {
    const html = page(scene(), { imageDataUri: PIXEL });
    assert.match(html, /default-src 'none'; img-src data:; style-src 'unsafe-inline'/);
    assert.ok(!/https?:|<script|@import|url\(/.test(html));
  });

  it('rejects an image that is not a data URI', () => {
    assert.throws(() => page(scene(), { imageDataUri: 'https://example.org/7.jpg' }), {
      name: 'OptionError',
      message: "report page: the image of '7.jpg' is not a base64 data URI of JPEG, PNG, WebP, AVIF or GIF",
    });
    assert.throws(() => page(scene(), { imageDataUri: 'data:image/svg+xml;base64,PHN2Zz4=' }), { name: 'OptionError' });
  });
});

describe('buildReportPage', () => {
  it('shows images that are images by their content, whatever their names are', async () => {
    const folder = temporaryFolder();
    const files = { 'a.jpg': Buffer.from(PIXEL.split(',')[1]!, 'base64'), 'b.jpg': Buffer.from('<svg onload="x"/>') };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const lines = async function* () {
      for (const file of Object.keys(files)) yield scene({ image: { ...scene().image, file } });
    };
    const { page: html, shown } = await buildReportPage(lines(), { title: 'x', images: folder });
    assert.equal(shown, 2);
    assert.deepEqual(html.match(/<image href="[^"]*"/g), [`<image href="${PIXEL}"`]);
  });

  it('shows small images in every format that is read, with the boxes in place', async () => {
    const folder = temporaryFolder();
    const [width, height] = [40, 30];
    const image = sharp({ create: { width, height, channels: 3, background: 'red' } });
    await image.avif().toFile(join(folder, 'a.avif'));
    await image.tiff().toFile(join(folder, 'b.tif'));
    await image.jpeg().withMetadata({ orientation: 6 }).toFile(join(folder, 'c.jpg'));
    const lines = async function* () {
      for (const file of ['a.avif', 'b.tif', 'c.jpg'])
        yield scene({ image: { ...scene().image, file, width, height } });
    };
    const { page: html, notShown } = await buildReportPage(lines(), { title: 'x', images: folder });
    assert.deepEqual(notShown, []);
    const uris = [...html.matchAll(/<image href="data:image\/([a-z]+);base64,([^"]*)"/g)];
    assert.deepEqual(
      uris.map(([, kind]) => kind),
      ['avif', 'jpeg', 'jpeg'],
    );
    // The boxes of the last one belong to the pixels before the rotation.
    const { upright } = (await readImageHeader(Buffer.from(uris[2]![2]!, 'base64')))!;
    assert.deepEqual(upright, { width, height });
  });

  it('shows large images smaller, with the boxes in place, and counts those that cannot be shown', async () => {
    const folder = temporaryFolder();
    const [width, height] = [1600, 1200];
    const noise = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k * 2_654_435_761) >>> 24);
    const large = await encodeJpeg(noise, { width, height });
    writeFileSync(join(folder, 'a.jpg'), large);
    const lines = async function* () {
      for (const file of ['a.jpg', 'b.jpg']) yield scene({ image: { ...scene().image, file, width, height } });
    };
    const { page: html } = await buildReportPage(lines(), { title: 'x', images: folder });
    const [, base64] = /<image href="data:image\/jpeg;base64,([^"]*)" width="1600" height="1200"/.exec(html)!;
    const { upright } = (await readImageHeader(Buffer.from(base64!, 'base64')))!;
    assert.deepEqual([upright.width, upright.height], [640, 480]);
    assert.match(html, /images missing or unreadable<\/dt><dd>1</);
  });

  it('draws scenes at random by a seed, each with the same chance', async () => {
    const lines = async function* () {
      for (let id = 0; id < 50; id++) yield scene({ image: { ...scene().image, id, file: `${id}.jpg` } });
    };
    const drawn = async (sample: number) => {
      const { page: html } = await buildReportPage(lines(), { title: 'x', scenes: 10, sample });
      return [...html.matchAll(/<h2>(\d+)\.jpg/g)].map(([, id]) => Number(id));
    };
    const first = await drawn(1);
    assert.equal(new Set(first).size, 10);
    assert.deepEqual(
      first,
      [...first].sort((a, b) => a - b),
    );
    assert.deepEqual(await drawn(1), first);
    assert.notDeepEqual(await drawn(2), first);
    const counts = new Array<number>(50).fill(0);
    for (let seed = 0; seed < 200; seed++) for (const id of await drawn(seed)) counts[id]!++;
    // 40 of 200 each on average; the standard deviation is 5.7.
    assert.ok(Math.min(...counts) > 15 && Math.max(...counts) < 70, `${counts}`);
  });

  it('names the boxes of a crowd only while one points at them', () => {
    const box = (id: number) => ({ id, category: 'person', box: [id * 10, 20, 50, 120] as const });
    const crowd = scene({ objects: Array.from({ length: 13 }, (_, id) => box(id)) });
    assert.match(page(crowd), /<svg class="crowd"/);
    assert.doesNotMatch(page(scene()), /class="crowd"/);
  });
});
