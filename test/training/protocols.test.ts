import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeSafetensors } from '../../src/files/write-safetensors.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { tiny } from '../../src/model/presets.js';
import { modelMetadata } from '../../src/model/weights/stored-model.js';
import { packageRoot } from '../../src/package-info.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { dryRun } from '../../src/training/dry-run.js';
import { readTrainingConfig } from '../../src/training/settings/read-training-config.js';
import { rlipSettings } from '../../src/training/settings/rlip-settings.js';
import { trainingSettings } from '../../src/training/settings/training-settings.js';
import { train } from '../../src/training/train.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { writeInitialWeights } from '../support/initial-weights.js';
import { eventsOf } from '../support/training-events.js';
import { tinyRlip } from '../support/training-scenes.js';

const { noise: _, emaDecay: __, ...plain } = tinyRlip;
const run = { prefetch: 1, readers: 0, backend: 'wasm', threads: 1 } as const;
const official = ['person', 'bicycle'];

describe('fine-tuning on HICO-DET in its official form', () => {
  const folder = temporaryFolder();
  const annotations = join(folder, 'trainval_hico.json');
  const images = join(folder, 'images');
  const initialWeights = join(folder, 'start.safetensors');
  const config: TrainingConfig = {
    ...plain,
    ...run,
    task: 'finetune',
    vocabulary: 'hico',
    initialWeights,
    epochs: 2,
    data: [{ hico: { annotations }, images }],
  };
  delete (config as { steps?: number }).steps;

  /** Writes weights of the tiny model with a number of pair queries. */
  const writeStart = (path: string, pairs: number, metadata: Record<string, string> = {}) =>
    writeInitialWeights(path, { ...tiny.parseda, ...plain.modelOptions, pairs }, 3, metadata);

  before(async () => {
    await useBackend('wasm', { threads: 1 });
    mkdirSync(images);
    const entries = [];
    for (let k = 1; k <= 8; k++) {
      const name = `HICO_train2015_0000000${k}.jpg`;
      await sharp({ create: { width: 64, height: 48, channels: 3, background: { r: 30 * k, g: 90, b: 200 } } })
        .jpeg()
        .toFile(join(images, name));
      entries.push({
        file_name: name,
        annotations: [
          { bbox: [4, 4, 24, 44], category_id: 1 },
          { bbox: [20, 20, 60, 44], category_id: k % 2 === 0 ? 2 : 5 },
        ],
        // ride bicycle, or fly and board airplane.
        hoi_annotation:
          k % 2 === 0
            ? [{ subject_id: 0, object_id: 1, category_id: 77, hoi_category_id: 19 }]
            : [{ subject_id: 0, object_id: 1, category_id: 31, hoi_category_id: 4 }],
      });
    }
    writeFileSync(annotations, JSON.stringify(entries));
    await writeStart(initialWeights, 12);
  });

  it('the recipes of the package have the real names, counts and held-out combinations', async () => {
    const recipes = join(packageRoot, 'pipelines/training');
    const found: Record<string, readonly [number, number, number]> = {};
    for (const name of readdirSync(recipes).filter((name) => /^(?:hico|vcoco)-/.test(name))) {
      const settings = trainingSettings(await readTrainingConfig(join(recipes, name)));
      assert.ok(settings.task === 'finetune');
      const { objects, relations } = settings.vocabulary!;
      found[name.replace('.json', '')] = [objects.length, relations.length, settings.heldOut.length];
      // Officially 128 queries in the full and the zero-shot settings, else 200.
      assert.equal(settings.model.pairs, /few-shot|vcoco/.test(name) ? 100 : 64, name);
    }
    assert.deepEqual(found, {
      'hico-few-shot': [80, 117, 0],
      'hico-few-shot-10': [80, 117, 0],
      'hico-finetune': [80, 117, 0],
      'hico-uc-nf': [80, 117, 120],
      'hico-uc-rf': [80, 117, 120],
      'hico-uo': [80, 117, 100],
      'hico-uv': [80, 117, 84],
      'vcoco-finetune': [81, 29, 0],
    });
  });

  it('a dry run has all 81 and 117 labels, and leaves the unseen combinations out', async () => {
    const all = await dryRun(config);
    assert.deepEqual([all.shapes['objects'], all.shapes['relations']], [[81], [117]]);
    assert.deepEqual([all.dataSummary.total, all.dataSummary.leftOut], [8, {}]);
    const uv = await dryRun({ ...config, heldOut: [{ predicate: 'fly', object: 'airplane' }] });
    assert.deepEqual([uv.dataSummary.total, uv.dataSummary.leftOut], [8, { 'held-out': 4 }]);
  });

  it('a dry run that does not fit still checks data, names and weights; one without a full batch is refused', async () => {
    const augmentation = { flip: 0.5, colorJitter: 0, shorterSides: [1500], maxSize: 2000 };
    const big = { ...config, augmentation, batchSize: 8 };
    const { step, problem, shapes, trained } = await dryRun(big);
    assert.equal(step, null);
    assert.match(problem!, /^training: a step of tinyParseda takes [\d.]+ GiB .* but backend wasm has 4 GiB/);
    assert.ok(trained > 0 && shapes['relations']![0] === 117);
    const missing = dryRun({ ...big, initialWeights: join(folder, 'none.safetensors') });
    await assert.rejects(missing, { message: /none\.safetensors: no such file/ });
    await assert.rejects(dryRun({ ...config, batchSize: 9 }), {
      message: 'training: /batchSize 9, but the data has only 8 usable images, expected at least one full batch',
    });
  });

  it('a vocabulary with a name too few or in another place is refused before any work', async () => {
    const vocabulary = rlipSettings(config).vocabulary!;
    const refused = (changed: Partial<typeof vocabulary>, message: RegExp) =>
      assert.throws(() => trainingSettings({ ...config, vocabulary: { ...vocabulary, ...changed } }), { message });
    const { relations } = vocabulary;
    refused(
      { relations: relations.filter((name) => name !== 'ride') },
      /\/relations has 116 names, 'ride' is missing; .*"vocabulary": "hico"/,
    );
    refused(
      { relations: [relations[1]!, relations[0]!, ...relations.slice(2)] },
      /has 'assemble' in place 0, expected 'adjust'/,
    );
    refused({ objects: ['man', ...vocabulary.objects.slice(1)] }, /contains 'man', which the data set has not/);
    assert.deepEqual(vocabulary.objects.slice(0, 2), official);
  });

  it('of more queries the first are kept, and weights with a fixed number of classes are refused by their heads', async () => {
    const many = join(folder, 'many.safetensors');
    await writeStart(many, 20);
    const out = join(temporaryFolder(), 'run');
    await train({ ...config, initialWeights: many, steps: 1, epochs: 1 }, { out });
    const [start] = eventsOf(out);
    assert.ok(start?.event === 'start' && start.queriesLeftOut === 8);
    const heads = join(folder, 'heads.safetensors');
    for (const [count, message] of [
      [117, /its head verb_class_embed\.weight scores 117 fixed classes, whereas RLIPv2 compares pairs with the texts/],
      [1, /its head verb_class_embed\.weight is class-agnostic/],
    ] as const) {
      const head = {
        name: 'verb_class_embed.weight',
        shape: [count, 4],
        read: async () => new Float32Array(4 * count),
      };
      await writeSafetensors(heads, [head]);
      await assert.rejects(dryRun({ ...config, initialWeights: heads }), { code: 'bad-weights', message });
    }
    const vocabulary = rlipSettings(config).vocabulary!;
    const other = join(folder, 'other.safetensors');
    const labels = { ...vocabulary, relations: [...vocabulary.relations].reverse() };
    await writeStart(other, 12, modelMetadata({ labels }));
    await assert.rejects(dryRun({ ...config, initialWeights: other }), {
      message: /relations has 'adjust' in place 0, but initialWeights were trained with 'zip' there: use the order of/,
    });
  });

  it('a run that has ended may be lengthened, to the weights of a run that was as long from the start, but not shortened', async () => {
    const schedule = { kind: 'step' as const, dropAfter: [1], factor: 0.1, warmup: 0 };
    const short = join(temporaryFolder(), 'short');
    const long = join(temporaryFolder(), 'long');
    const both = { ...config, schedule, batchSize: 4 };
    assert.equal((await train({ ...both, epochs: 1 }, { out: short })).steps, 2);
    const { weights, steps } = await train({ ...both, epochs: 2 }, { out: short, resume: true });
    const reference = await train({ ...both, epochs: 2 }, { out: long });
    assert.deepEqual([steps, reference.steps], [4, 4]);
    assert.deepEqual(readFileSync(weights!), readFileSync(reference.weights!));
    assert.equal(eventsOf(short).filter(({ event }) => event === 'end').length, 1);
    await assert.rejects(train({ ...both, epochs: 1 }, { out: short, resume: true }), {
      message: /belongs to a longer run: resume with at least its epochs and steps/,
    });
    await assert.rejects(train({ ...both, epochs: 3, seed: 9 }, { out: short, resume: true }), /another 'seed'/);
  });

  it('evaluates with the benchmark every epoch and at the end, logs it, and keeps the best weights', async () => {
    const file = join(folder, 'finetune.json');
    const out = join(temporaryFolder(), 'scored');
    const evaluation = { hico: { annotations }, images, training: annotations };
    writeFileSync(file, JSON.stringify({ ...config, evaluation, batchSize: 4 }));
    const { code, stderr } = await relflow(['train', 'finetune', '--config', file, '--out', out, '--quiet']);
    assert.equal(code, 0, stderr);
    const scores = eventsOf(out).flatMap((event) => (event.event === 'benchmark' ? [event] : []));
    assert.deepEqual(
      scores.map(({ step, benchmark }) => [step, benchmark]),
      [
        [2, 'hico'],
        [4, 'hico'],
      ],
    );
    for (const { score, metrics } of scores) assert.ok(score >= 0 && score <= 1 && metrics['mAP'] === score);
    assert.equal(scores[0]!.isBest, true);
    const best = readFileSync(join(out, 'best.safetensors'));
    const last = readFileSync(join(out, 'weights.safetensors'));
    assert.equal(best.equals(last), scores[1]!.isBest);
    assert.ok(!existsSync(join(out, '.best.safetensors')));
  });

  it('keeps the first of several weights that score as well, and ends when a score is not a number', async () => {
    const out = join(temporaryFolder(), 'stub');
    const scores = [0.5, 0.7, 0.7];
    const seen: string[] = [];
    const evaluator = {
      name: 'stub',
      everyEpochs: 1,
      evaluate: async (weights: string) => {
        seen.push(weights);
        const score = scores[seen.length - 1]!;
        return { score, metrics: { score } };
      },
    };
    await train({ ...config, batchSize: 8, epochs: 3 }, { out, evaluator });
    const isBest = eventsOf(out).flatMap((event) => (event.event === 'benchmark' ? [event.isBest] : []));
    assert.deepEqual(isBest, [true, true, false]);
    const nan = { ...evaluator, evaluate: async () => ({ score: Number.NaN, metrics: {} }) };
    const bad = join(temporaryFolder(), 'nan');
    await assert.rejects(train({ ...config, batchSize: 8 }, { out: bad, evaluator: nan }), {
      code: 'diverged',
      message: /step 1: training: the score of stub is not a number at images HICO_train2015_0000000\d\.jpg/,
    });
    assert.ok(existsSync(join(bad, 'failure.json')));
  });
});
