import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPredictions } from '../../src/evaluation/index.js';
import { modelMetadata, tiny, useBackend } from '../../src/model/index.js';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { writeInitialWeights } from '../support/initial-weights.js';
import { collect } from '../support/records.js';

const folder = temporaryFolder();
const [detector, tagger] = [join(folder, 'detector.safetensors'), join(folder, 'tagger.safetensors')];
const hico = join(SCENES, 'hico', 'test_hico.json');
const images = join(SCENES, 'images');

const predict = (...args: string[]) =>
  relflow(['predict', '--images', images, '--threads', '1', '--size', '48,64', ...args]);

async function predicted(name: string, ...args: string[]) {
  const out = join(folder, name);
  const { code, stderr } = await predict('--out', out, ...args);
  assert.equal(code, 0, stderr);
  const predictions = await openPredictions(out);
  return { out, header: predictions.header, images: await collect(predictions.images()) };
}

describe('relflow predict', () => {
  before(async () => {
    await useBackend('wasm', { threads: 1 });
    for (const [file, config] of [
      [detector, tiny.parseda],
      [tagger, tiny.tagger],
    ] as const)
      await writeInitialWeights(file, config, 1, modelMetadata({ config }));
  });

  it('writes every image of HICO-DET with 117 fused scores a pair', async () => {
    const { header, images: found } = await predicted('hico.jsonl', '--weights', detector, '--data', hico);
    assert.deepEqual([header.objects.length, header.predicates.length, header.fused], [80, 117, true]);
    assert.equal(header.settings?.['model'], 'tinyParseda');
    const files = (JSON.parse(readFileSync(hico, 'utf8')) as { file_name: string }[]).map(({ file_name }) => file_name);
    assert.deepEqual(
      found.map(({ image }) => image.file),
      files,
    );
    for (const { objects, pairs } of found) {
      assert.equal(pairs.length, tiny.parseda.pairs);
      assert.ok(pairs.every(({ subject }) => objects[subject]?.category === 'person'));
    }
  });

  it('continues a cut file to the same bytes, and refuses another model or data', async () => {
    const whole = await predicted('whole.jsonl', '--weights', detector, '--data', hico);
    const bytes = readFileSync(whole.out);
    const out = join(folder, 'cut.jsonl');
    const third = bytes.indexOf('\n', bytes.indexOf('\n', bytes.indexOf('\n') + 1) + 1) + 1;
    for (const end of [0, 40, third, third + 500]) {
      writeFileSync(`${out}.partial`, bytes.subarray(0, end));
      const args = ['--weights', detector, '--data', hico, '--out', out];
      const refused = await predict(...args);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /interrupted file; give --resume to continue it, or --overwrite/);
      const { code, stdout, stderr } = await predict(...args, '--resume', '--json');
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).resumed, end < third ? 0 : 2);
      assert.ok(readFileSync(out).equals(bytes));
      assert.ok(!existsSync(`${out}.partial`) && !existsSync(`${out}.lock`));
      renameSync(out, `${out}.done`);
    }
    writeFileSync(`${out}.partial`, bytes.subarray(0, third));
    const other = await predict('--weights', detector, '--data', hico, '--out', out, '--resume', '--nf');
    assert.equal(other.code, 1);
    assert.match(other.stderr, /begun with other weights, labels, data or options/);
    const again = await predict('--weights', detector, '--data', hico, '--out', whole.out);
    assert.match(again.stderr, /exists; give --overwrite/);
  });

  it('reads V-COCO in both forms, with pairs that lack an object', async () => {
    const own = await predicted('own.jsonl', '--weights', detector, '--data', join(SCENES, 'vcoco', 'vcoco_test.json'));
    const ppdm = await predicted(
      'ppdm.jsonl',
      '--weights',
      detector,
      '--data',
      join(SCENES, 'vcoco', 'test_vcoco.json'),
    );
    assert.deepEqual([own.header.objects.length, own.header.predicates.length], [81, 29]);
    assert.equal(own.header.objects[80], 'missing objects');
    // V-COCO's own form lists images by their persons, and thus none without.
    const names = new Set(own.images.map(({ image }) => image.file));
    assert.deepEqual([own.images.length, ppdm.images.length], [names.size, 8]);
    assert.deepEqual(
      own.images.map(({ objects, pairs }) => [objects, pairs]),
      ppdm.images.filter(({ image }) => names.has(image.file)).map(({ objects, pairs }) => [objects, pairs]),
    );
  });

  it('keeps scores of predicates and objects apart for Open Images and scene graphs, best pairs first', async () => {
    for (const data of ['open-images/OI_SGG_test.json', 'vg150/VG-SGG-with-attri.h5']) {
      const args = ['--weights', detector, '--data', join(SCENES, data), '--limit', '2'];
      const { header, images: found } = await predicted(`${data.slice(0, 2)}.jsonl`, ...args);
      assert.equal(header.fused, false);
      assert.equal(found.length, 2);
      for (const { objects, pairs } of found) {
        const best = pairs.map(
          ({ subject, object, scores }) => Math.max(...scores) * objects[subject]!.score! * objects[object!]!.score!,
        );
        for (const [k, score] of best.slice(1).entries()) assert.ok(score <= best[k]! * (1 + 1e-6));
      }
    }
  });

  it('classifies the predicates of the true pairs with an R-Tagger', async () => {
    const args = ['--weights', tagger, '--data', join(SCENES, 'vg150', 'VG-SGG-with-attri.h5'), '--limit', '2'];
    const { header, images: found } = await predicted('predcls.jsonl', ...args);
    assert.equal(header.settings?.['task'], 'predicate classification');
    for (const { objects, pairs } of found) {
      assert.equal(pairs.length, objects.length * (objects.length - 1));
      assert.ok(objects.every(({ score }) => score === undefined));
      const best = pairs.map(({ scores }) => Math.max(...scores));
      assert.deepEqual(
        best,
        [...best].sort((a, b) => b - a),
      );
    }
  });

  it('keeps the highest scores only, and leaves out images that cannot be read', async () => {
    const args = ['--weights', detector, '--data', hico, '--limit', '1'];
    const all = await predicted('all.jsonl', ...args);
    const top = await predicted('top.jsonl', ...args, '--top', '10');
    const flat = (one: typeof all) => one.images.flatMap(({ pairs }) => pairs.flatMap(({ scores }) => scores));
    const [before, after] = [flat(all), flat(top)];
    const least = [...before].sort((a, b) => b - a)[9]!;
    assert.equal(after.filter((score) => score > 0).length, 10);
    for (const [k, score] of after.entries()) assert.ok(score === 0 || (score === before[k] && score >= least));
    const missing = join(folder, 'test_hico.json');
    const entries = JSON.parse(readFileSync(hico, 'utf8')) as { file_name: string }[];
    writeFileSync(missing, JSON.stringify([{ ...entries[0], file_name: 'gone.jpg' }, entries[1]]));
    const out = join(folder, 'missing.jsonl');
    const { code, stdout, stderr } = await predict('--weights', detector, '--data', missing, '--out', out);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /: 1 images\n/);
    assert.match(stderr, /1 image without predictions: image-missing/);
  });

  it('says what does not fit', async () => {
    const cases: [string[], RegExp][] = [
      [
        ['--weights', detector, '--data', join(SCENES, 'instances.json')],
        /detections in COCO's format.* expected a data set with/,
      ],
      [['--weights', 'none.pth', '--data', hico], /none\.pth: no such file/],
      [['--weights', detector, '--data', hico, '--split', 'test'], /'split' has no effect on this data set \(hico\)/],
      [['--weights', tagger, '--data', hico, '--nf'], /--nf is a setting of HICO-DET/],
      [
        ['--weights', detector, '--data', join(SCENES, 'vcoco', 'test_vcoco.json'), '--top', '5'],
        /--top cannot be used/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await predict(...args, '--out', join(folder, 'never.jsonl'));
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
    }
    assert.ok(!existsSync(join(folder, 'never.jsonl')));
  });
});
