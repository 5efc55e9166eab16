import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { evaluateRelations } from '../../src/evaluation/benchmarks/evaluate-relations.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { openRelationFinder } from '../../src/model/detector/relation-finder.js';
import { seededDropout } from '../../src/model/layers/dropout.js';
import type { ImageRecord } from '../../src/records/image.js';
import type { Related } from '../../src/records/scene-graph.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { fromIterable } from '../../src/sources/from-iterable.js';
import { sceneGraphLines } from '../../src/sources/scene-graph-lines.js';
import { AugmentedImageReader } from '../../src/training/data/augmented-image-reader.js';
import { batchStream } from '../../src/training/data/batch-stream.js';
import { TrainingData } from '../../src/training/data/training-data.js';
import type { ReadBack } from '../../src/training/loss-gradients.js';
import { openTrainingModel } from '../../src/training/open-training-model.js';
import { batchOptions, dataOptions } from '../../src/training/settings/data-options.js';
import { rlipSettings } from '../../src/training/settings/rlip-settings.js';
import { train } from '../../src/training/train.js';
import { trainModel } from '../../src/training/train-model.js';
import type { TrainOptions } from '../../src/training/train-options.js';
import type { TrainingEvent } from '../../src/training/training-log.js';
import { temporaryFolder } from '../support/folders.js';
import { eventsOf, stepsOf } from '../support/training-events.js';
import { tinyRlip as config, writeTrainingScenes } from '../support/training-scenes.js';

const signal = () => new AbortController().signal;

describe('train: 4 steps of a tiny ParSeDA on 6 scenes', () => {
  const folder = temporaryFolder();
  let images: string;
  let lines: string;

  before(async () => {
    await useBackend('wasm', { threads: 1 });
    ({ lines, images } = await writeTrainingScenes(folder, 6));
  });

  const trained = (out: string, changed: Partial<TrainingConfig> = {}, options: Partial<TrainOptions> = {}) => {
    const data = [{ sceneGraphs: lines, images }];
    const run = { prefetch: 1, readers: 0, checkpointEvery: 2, evaluateEvery: 2, backend: 'wasm', threads: 1 } as const;
    return train({ ...config, ...run, data, ...changed }, { out, ...options });
  };
  const reference = join(temporaryFolder(), 'reference');

  it('writes weights, the log and its curves, frees all tensors, and resumes after a stop to the same bytes', async () => {
    const { numTensors } = tf.memory();
    const first = await trained(reference);
    assert.deepEqual([first.finished, first.steps], [true, 4]);
    assert.equal(tf.memory().numTensors, numTensors);
    const steps = stepsOf(reference);
    assert.deepEqual(
      steps.map(({ step, pairs, positives }) => [step, pairs === positives]),
      [1, 2, 3, 4].map((step) => [step, true]),
    );
    const page = readFileSync(join(reference, 'curves.html'), 'utf8');
    assert.match(page, /<title>tinyParseda<\/title>[\s\S]*4 steps, loss [\s\S]*<polyline/);
    assert.doesNotMatch(page, /<script|NaN/);

    const out = join(temporaryFolder(), 'stopped');
    const stop = new AbortController();
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === 3) stop.abort();
    };
    assert.equal((await trained(out, {}, { stop: stop.signal, onProgress })).finished, false);
    assert.ok(existsSync(join(out, 'checkpoints', 'step-00000003', 'average.safetensors')));
    const { weights } = await trained(out, {}, { resume: true });
    assert.deepEqual(readFileSync(weights!), readFileSync(join(reference, 'weights.safetensors')));
  });

  it('computes the same bits with values that a pass read back before', async () => {
    const settings = rlipSettings({ ...config, modelOptions: { ...config.modelOptions, dropout: 0.2 } });
    const sets = [{ source: sceneGraphLines({ sceneGraphs: lines }), images }];
    const data = await TrainingData.open(sets, dataOptions(settings), signal());
    const reader = new AugmentedImageReader(settings.augmentation, { threads: 0 });
    const stream = batchStream(data, batchOptions(settings, reader, 1), { epoch: 0, position: 0 }, signal());
    const { batch } = (await stream.next()).value!;
    await stream.return(undefined);
    const { model, forward } = await openTrainingModel(settings, {});
    const drop = () => seededDropout(1);
    const stepOf = (known?: ReadBack) => {
      const { total, parts } = tf.tidy(() => forward.run(batch, drop(), known));
      return [total, parts].map((tensor) => [...tensor.dataSync()]);
    };
    await forward.prepare(batch);
    const { numTensors } = tf.memory();
    const outputs = tf.tidy(() => forward.before!.outputs(batch, drop()));
    const known = await forward.before!.readBack(outputs, batch);
    tf.dispose(outputs);
    assert.equal(tf.memory().numTensors, numTensors);
    assert.ok(known.pseudoLabels!.some((shares) => shares.some((share) => share > 0)));
    assert.deepEqual(stepOf(known), stepOf());
    // Other values change the loss.
    assert.notDeepEqual(stepOf({ ...known, pseudoLabels: null }), stepOf());
    const reversed = known.matches.map((images) =>
      images.map(({ queries }) => ({ queries: queries.slice().reverse() })),
    );
    assert.notDeepEqual(stepOf({ ...known, matches: reversed }), stepOf());
    model.dispose();
  });

  it('trains weights that find relations, scored separately for held-out ones', async () => {
    const truth: (ImageRecord & Related)[] = [];
    const context = { signal: signal(), tempDir: folder, progress: () => {} };
    for await (const { record } of sceneGraphLines({ sceneGraphs: lines }).read(context)) truth.push(record!);
    const names = (of: (record: ImageRecord & Related) => readonly string[]) => [...new Set(truth.flatMap(of))];
    const finder = await openRelationFinder({
      weights: join(reference, 'weights.safetensors'),
      images,
      categories: names(({ detections }) => detections.map(({ category }) => category)),
      predicates: names(({ relations }) => relations.map(({ predicate }) => predicate)),
      backend: 'wasm',
      threads: 1,
      size: [48, 64],
      maxRelations: 30,
    });
    const found = await finder.find(truth[0]!.image, signal());
    assert.equal(found.length, 30);
    assert.ok(found.every(({ score }, k) => score > 0 && score <= (found[k - 1]?.score ?? 1)));
    const { width, height } = truth[0]!.image;
    for (const { subject, object } of found)
      for (const [x, y, w, h] of [subject.box, object.box])
        assert.ok(x + w > 0 && y + h > 0 && x < width && y < height && w > 0 && h > 0);
    async function* all() {
      yield* truth;
    }
    const report = await evaluateRelations(all(), finder, { unseen: (_, predicate) => predicate === 'near' });
    finder.dispose();
    assert.equal(report.images, 6);
    assert.ok(report.unseen > 0 && report.unseen < report.relations);
    assert.ok(report.recall[100]! >= report.recall[20]! && report.recall[100]! <= 1);
  });

  it('starts from the matching arrays of other weights, and fine-tunes a closed vocabulary', async () => {
    const out = join(temporaryFolder(), 'finetuned');
    const all = join(reference, 'weights.safetensors');
    const vocabulary = { objects: ['person', 'dog'], relations: ['near', 'looking at'] };
    const result = await trained(out, { task: 'finetune', vocabulary, initialWeights: all, steps: 1, batchSize: 1 });
    assert.ok(Number.isFinite(result.loss));
    const [start] = eventsOf(out);
    assert.ok(start?.event === 'start' && start.leftOut['unknown-object']! > 0 && start.relations === 2);

    const other = join(temporaryFolder(), 'started');
    const { noise: _, ...rest } = config;
    const data = [{ sceneGraphs: lines, images }];
    await train({ ...rest, model: 'tinyParsed', steps: 1, startFrom: all, data, threads: 1 }, { out: other });
    const [begun] = eventsOf(other);
    assert.ok(begun?.event === 'start' && begun.startedFrom! > 50);
    const optimizer = join(reference, 'checkpoints', 'step-00000004', 'optimizer.safetensors');
    await assert.rejects(trained(join(temporaryFolder(), 'x'), { startFrom: optimizer }), {
      message:
        /^training: \/startFrom .*: no array has a name and shape of tinyParseda, expected weights of a similar model$/,
    });
  });

  it('trains on odd data: images without a pair, one label, boxes without an area, 300 objects', async () => {
    const [first] = readFileSync(lines, 'utf8').split('\n');
    const graph = JSON.parse(first!);
    const { image } = graph;
    const box = (k: number) => [(k * 7) % (image.width - 20), (k * 11) % (image.height - 20), 18, 16];
    const objects = (count: number) =>
      Array.from({ length: count }, (_, k) => ({ id: k, category: 'dog', box: box(k) }));
    const near = (subject: number, object: number) => ({ subject, object, predicate: 'near' });
    const record = (id: number, detections: object[], relations: object[]) =>
      ({
        image: { ...image, id },
        detections,
        origin: graph.provenance.origin,
        relations,
        tagger: null,
      }) as unknown as ImageRecord & Related;
    const sets = (records: (ImageRecord & Related)[]) => [
      { source: fromIterable('test', ['image', 'detections', 'relations'], records), images },
    ];
    const run = async (records: (ImageRecord & Related)[], changed: Partial<TrainingConfig> = {}) => {
      const out = join(temporaryFolder(), 'bad');
      const settings = rlipSettings({
        ...config,
        steps: 1,
        batchSize: records.length,
        labels: { objects: 0, relations: 1 },
        ...changed,
      });
      const data = await TrainingData.open(sets(records), dataOptions(settings), signal());
      const result = await trainModel({
        ...{ settings, data, out, config: { readers: 0 }, backend: { name: 'wasm', threads: 1 } },
      });
      return { result, events: eventsOf(out), summary: data.summary };
    };
    const crowd = record(
      2,
      objects(300),
      Array.from({ length: 299 }, (_, k) => near(k, k + 1)),
    );
    const hidden = record(3, objects(3), [{ ...near(0, 1), predicate: 'on' }]);
    const flat = record(4, [...objects(2), { id: 9, category: 'dog', box: [5, 5, 0, 9] }], [near(0, 1), near(1, 2)]);
    const { result, events, summary } = await run([crowd, hidden, flat], { heldOut: [{ predicate: 'on' }] });
    assert.deepEqual(summary.leftOut, { 'empty-box': 1, 'held-out': 1, 'relation-of-empty-box': 1 });
    const [step] = events.flatMap((event) => (event.event === 'step' ? [event] : []));
    assert.ok(Number.isFinite(result.loss) && Object.values(step!.parts).every(Number.isFinite));
    assert.equal(step!.images, 3);
    // 12 queries are matched with at most 12 of 299 pairs.
    assert.ok(step!.pairs <= 13);

    const nothing = await run([hidden, { ...hidden, image: { ...hidden.image, id: 5 } }], {
      heldOut: [{ predicate: 'on' }],
    });
    const skipped = nothing.events.find((event) => event.event === 'skipped');
    assert.deepEqual([skipped?.event === 'skipped' && [...skipped.images].sort(), nothing.result.loss], [[3, 5], null]);
    await assert.rejects(run([record(6, objects(2), [])]), {
      code: 'no-data',
      message: /: 1 no-relations \(lower .*\)$/,
    });
    await assert.rejects(run([record(7, [{ id: 1, category: 'dog', box: [0, 0, 0, 0] }], [])]), {
      code: 'no-data',
      message: /: 1 no-objects \(check .*\)$/,
    });
  });
});
