import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { tiny } from '../../../src/model/presets.js';
import { rTagger } from '../../../src/model/tagger/r-tagger.js';
import { modelMetadata, type StoredModel } from '../../../src/model/weights/stored-model.js';
import type { TagRequest } from '../../../src/records/ports.js';
import { relflow, SCENES } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { writeInitialWeights } from '../../support/initial-weights.js';
import { assertClose } from '../../support/tensors.js';

const images = join(SCENES, 'images');
const categories = ['person', 'dog', 'ball'];

describe('rTagger', () => {
  let weights: string;

  before(async () => {
    await useBackend('wasm', { threads: 1 });
    weights = await writeWeights({}, { model: tiny.tagger.name });
  });

  /** Writes weights of the tiny tagger with a header. @returns their path */
  async function writeWeights(stored: StoredModel, more: Record<string, string> = {}): Promise<string> {
    const path = join(temporaryFolder(), 'tiny.safetensors');
    await writeInitialWeights(path, tiny.tagger, 4, { ...modelMetadata(stored), ...more });
    return path;
  }

  const request = (count: number): TagRequest => ({
    image: { id: 1, file: '100001.jpg', width: 300, height: 300, dataset: 'scenes', split: '' },
    detections: [
      { id: 1, category: 'person', box: [10, 20, 100, 200] },
      { id: 2, category: 'dog', box: [120, 200, 80, 60] },
      { id: 3, category: 'ball', box: [220, 230, 30, 30] },
    ],
    pairs: Array.from({ length: count }, (_, k) => ({ subject: k % 3, object: (k + 1 + (k % 2)) % 3, texts: [] })),
    texts: ['next to', 'holding'],
    captionCount: 1,
  });
  const { signal } = new AbortController();
  const tagger = (more: object = {}) => rTagger({ weights, images, categories, backend: 'wasm', threads: 1, ...more });

  it('scores every text for every pair, independent of the other groups', async () => {
    const whole = await tagger().tag(request(10), signal);
    assert.equal(whole.length, 20);
    assert.ok(whole.every((score) => score > 0 && score < 1));
    // 34 pairs are three groups of at most 16; the decoders process two groups in one pass.
    const many = await tagger({ groupsAtOnce: 2 }).tag(request(34), signal);
    assert.equal(many.length, 68);
    const first = await tagger().tag(request(16), signal);
    assertClose(many.slice(0, 32), first, 1e-5);
    // Pairs of a group attend to each other, so that scores depend on the group.
    assert.notDeepEqual([...whole.slice(0, 20)], [...first.slice(0, 20)]);
  });

  it('gives the same scores in batches of images, for concurrent requests in any order, as one by one', async () => {
    const listed = JSON.parse(readFileSync(join(SCENES, 'instances.json'), 'utf8')) as {
      images: { file_name: string; width: number; height: number }[];
    };
    const of = ({ file_name: file, width, height }: (typeof listed.images)[number], count: number) => ({
      ...request(count),
      image: { ...request(1).image, file, width, height },
    });
    const requests = listed.images.slice(0, 6).map((image, k) => of(image, 4 + 5 * k));
    const view = { shorter: 96, longest: 128 };
    const alone = tagger({ view });
    const expected: Float32Array[] = [];
    for (const one of requests) expected.push(await alone.tag(one, signal));
    const batched = tagger({ view, batchSize: 4 });
    assert.equal(batched.imagesAtOnce, 12);
    const lost = of({ file_name: 'lost.jpg', width: 300, height: 300 }, 3);
    const isRejected = assert.rejects(async () => batched.tag(lost, signal), { reason: 'image-missing' });
    const scores = await Promise.all(requests.toReversed().map((one) => batched.tag(one, signal)));
    assert.deepEqual(scores.reverse(), expected);
    await isRejected;
    const usage = batched.usage!();
    assert.equal(usage['images'], 6);
    assert.ok(usage['batches']! < 6, `${usage['batches']} batches`);
    assert.ok(usage['imagesPerSecond']! > 0 && usage['deviceWaited']! >= 0 && usage['deviceWaited']! < 1);
    await batched.close!();
  });

  it('resizes images to the size in the options or in the weights file', async () => {
    const small = { shorter: 64, longest: 96 };
    const other = await tagger({ view: small }).tag(request(3), signal);
    assert.notDeepEqual(other, await tagger().tag(request(3), signal));
    const path = await writeWeights({ config: tiny.tagger, view: small });
    assert.deepEqual(await tagger({ weights: path }).tag(request(3), signal), other);
    assert.throws(() => tagger({ view: { shorter: 0, longest: 9 } }), { message: /rTagger: view\.shorter/ });
  });

  it('reads all labels that it was trained with, independent of the request', async () => {
    const labels = { objects: ['person', 'dog', 'ball', 'kite'], relations: ['holding', 'next to', 'under'] };
    const path = await writeWeights({ config: tiny.tagger, labels });
    const both = await tagger({ weights: path }).tag(request(3), signal);
    const one = await tagger({ weights: path }).tag({ ...request(3), texts: ['holding'] }, signal);
    // Scores do not change with the requested texts, because the model reads all of its labels in any case.
    assertClose(
      one,
      [1, 3, 5].map((k) => both[k]!),
      1e-6,
    );
    const unknown = await tagger({ weights: path }).tag({ ...request(3), texts: ['chasing', 'holding'] }, signal);
    assert.equal(unknown.length, 6);
  });

  it('caches label vectors for later runs, also after a killed run', async () => {
    const labelCache = join(temporaryFolder(), 'labels');
    const first = await tagger({ labelCache }).tag(request(3), signal);
    const [name, ...others] = readdirSync(labelCache);
    assert.match(name!, /^label-vectors-[0-9a-f]{32}\.bin$/);
    assert.deepEqual(others, []);
    const path = join(labelCache, name!);
    const whole = readFileSync(path);
    // Six labels: three categories, no objects, two relations.
    assert.ok(whole.length > 6 * 4 * tiny.tagger.text.width);
    assert.deepEqual(await tagger({ labelCache }).tag(request(3), signal), first);
    assert.deepEqual(readFileSync(path), whole, 'no vector is computed twice');
    writeFileSync(path, whole.subarray(0, whole.length - 9));
    assert.deepEqual(await tagger({ labelCache }).tag(request(3), signal), first);
    assert.equal(readFileSync(path).length, whole.length, 'the incomplete record is written again');
    const corrupt = Buffer.from(whole);
    corrupt[30]! ^= 1;
    writeFileSync(path, corrupt);
    assert.deepEqual(await tagger({ labelCache }).tag(request(3), signal), first);
  });

  it('names the option or the record that it rejects', async () => {
    assert.throws(() => tagger({ weights: 'none.safetensors' }), {
      message: 'rTagger: weights none.safetensors do not exist, expected a file of weights',
    });
    assert.throws(() => tagger({ backend: 'gpu' }), {
      message: "rTagger: unknown backend 'gpu', expected one of auto, tensorflow, webgpu, wasm, cpu",
    });
    assert.throws(() => tagger({ categories: ['a', 'a'] }), {
      message: "rTagger: categories lists 'a' twice, expected each name once",
    });
    assert.throws(() => tagger({ model: 'yolo' }), { message: /unknown model 'yolo', expected one of rTaggerR50, / });
    const cat = {
      ...request(1),
      detections: [{ id: 1, category: 'cat', box: [0, 0, 9, 9] as const }, request(1).detections[1]!],
    };
    await assert.rejects(async () => tagger().tag(cat as TagRequest, signal), { reason: 'category-unknown-to-tagger' });
    const lost = { ...request(1), image: { ...request(1).image, file: 'lost.jpg' } };
    await assert.rejects(async () => tagger().tag(lost, signal), { reason: 'image-missing' });
  });

  it('tags in a pipeline: relflow run coco --tagger FILE', async () => {
    const out = join(temporaryFolder(), 'graphs');
    const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];
    const options = [
      '--images',
      images,
      '--tagger',
      weights,
      '--threads',
      '1',
      '--threshold',
      '0',
      '--limit',
      '2',
      '--compat',
    ];
    const { code, stderr } = await relflow(['run', 'coco', ...inputs, ...options, '--out', out]);
    assert.equal(code, 0, stderr);
    const manifest = readFileSync(join(out, 'manifest.json'), 'utf8');
    assert.match(manifest, /"tagger": "r-tagger"/);
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      stages: { stage: string; usage?: Record<string, number> }[];
    };
    const usage = report.stages.find(({ stage }) => stage === 'tag')?.usage;
    assert.ok(usage && usage['images']! > 0 && usage['imagesPerSecond']! > 0);
    // The bytes of a run do not depend on the batch.
    const graphs = async (...more: string[]) => {
      const folder = join(temporaryFolder(), 'graphs');
      const run = await relflow([
        ...['run', 'coco', ...inputs, '--images', images, '--tagger', weights, '--threads', '1', '--threshold', '0'],
        ...['--limit', '5', ...more, '--out', folder],
      ]);
      assert.equal(run.code, 0, run.stderr);
      return [readFileSync(join(folder, 'scene-graphs/00000.jsonl')), readFileSync(join(folder, 'manifest.json'))];
    };
    assert.deepEqual(await graphs('--tagger-batch', '3'), await graphs('--concurrency', '1'));
    // Without --images, images next to the annotations are used; here there are none.
    const alone = join(temporaryFolder(), 'instances.json');
    copyFileSync(join(SCENES, 'instances.json'), alone);
    const withoutImages = ['--annotations', alone, '--captions', join(SCENES, 'captions.json'), '--tagger', weights];
    const missing = await relflow(['run', 'coco', ...withoutImages, '--out', `${out}2`]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /coco: --tagger needs --images, the image folder/);
  });
});
