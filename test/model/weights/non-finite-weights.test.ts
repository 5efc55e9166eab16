import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { evaluatePredicates, PredicateScores, RelationScores } from '../../../src/evaluation/index.js';
import { writeSafetensors } from '../../../src/files/write-safetensors.js';
import { Graph, type ImageRecord, run, type Sink, sceneGraphs } from '../../../src/index.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { openRelationFinder } from '../../../src/model/detector/relation-finder.js';
import { tiny } from '../../../src/model/presets.js';
import { RlipV2 } from '../../../src/model/rlip-v2.js';
import { rTagger } from '../../../src/model/tagger/r-tagger.js';
import { initializeWeights } from '../../../src/model/weights/initialize-weights.js';
import { modelMetadata } from '../../../src/model/weights/stored-model.js';
import type { TagRequest } from '../../../src/records/ports.js';
import { relflow, SCENES } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { writeRawSafetensors } from '../../support/raw-safetensors.js';
import { images as imageItems, memorySource, relatedRecord } from '../../support/records.js';

describe('numbers that are not finite', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  /** Writes the weights of a tiny model; one array is changed. @returns their path */
  async function tinyWeights(
    config: (typeof tiny)['tagger'],
    name: string | null,
    change: (values: Float32Array) => Float32Array,
  ): Promise<string> {
    const model = new RlipV2(config);
    initializeWeights(model.parameters, 4);
    const arrays: Record<string, number[]> = {};
    const shapes: Record<string, readonly number[]> = {};
    for (const parameter of model.parameters.values()) {
      const values = await parameter.values();
      arrays[parameter.name] = [...(parameter.name === name ? change(values) : values)];
      shapes[parameter.name] = parameter.shape;
    }
    model.dispose();
    const path = join(temporaryFolder(), 'tiny.safetensors');
    writeRawSafetensors(path, arrays, modelMetadata({ config }), shapes);
    return path;
  }
  const bias = 'backbone.0.body.bn1.bias';
  const withNan = (values: Float32Array) => values.fill(Number.NaN, 1, 2);
  const request: TagRequest = {
    image: { id: 1, file: '100001.jpg', width: 300, height: 300, dataset: 'scenes', split: '' },
    detections: [
      { id: 1, category: 'person', box: [10, 20, 100, 200] },
      { id: 2, category: 'dog', box: [120, 200, 80, 60] },
    ],
    pairs: [{ subject: 0, object: 1, texts: [] }],
    texts: ['near'],
    captionCount: 1,
  };
  const { signal } = new AbortController();

  it('in weights are an error that names the array, for every reader', async () => {
    const path = await tinyWeights(tiny.tagger, bias, withNan);
    const expected = {
      code: 'bad-weights',
      message: new RegExp(
        `tiny\\.safetensors: ${bias} has 1 of \\d+ values that are not finite, the first is NaN at index 1`,
      ),
    };
    const tagger = rTagger({
      weights: path,
      images: join(SCENES, 'images'),
      categories: ['person', 'dog'],
      threads: 1,
    });
    await assert.rejects(async () => tagger.tag(request, signal), expected);
    const to = join(temporaryFolder(), 'out', '..', 'made.safetensors');
    for (const more of [[], ['--model', tiny.tagger.name]]) {
      const converted = await relflow(['weights', 'convert', path, to, ...more]);
      assert.equal(converted.code, 1);
      assert.match(converted.stderr, expected.message);
      assert.ok(!existsSync(to));
    }
  });

  it('are written to no weights file', async () => {
    const folder = temporaryFolder();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const weights = [{ name: 'a', shape: [3], read: async () => Float32Array.of(1, 2, value) }];
      for (const shardBytes of [4, 100])
        await assert.rejects(writeSafetensors(join(folder, 'w.safetensors'), weights, { shardBytes }), {
          code: 'bad-weights',
          message: new RegExp(
            `a has 1 of 3 values that are not finite, the first is ${value} at index 2; expected numbers$`,
          ),
        });
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  it('in the outputs of a finder are an error that names the image', async () => {
    // Finite weights whose products are not.
    const huge = (values: Float32Array) => values.fill(3e38);
    const path = await tinyWeights(tiny.parsed, 'transformer.verb_decoder.layers.1.norm3.weight', huge);
    const finder = await openRelationFinder({
      weights: path,
      images: join(SCENES, 'images'),
      categories: ['person', 'dog'],
      predicates: ['near'],
      threads: 1,
      size: [48, 64],
    });
    await assert.rejects(finder.find(request.image, signal), (error: Error & { reason: string }) => {
      assert.equal(error.reason, 'bad-score');
      assert.match(error.message, /100001\.jpg: the model returned (?:NaN|-?Infinity) among its /);
      return true;
    });
    finder.dispose();
  });

  it('are scored by no evaluator', async () => {
    const scores = new PredicateScores(['near']);
    for (const score of [Number.NaN, Number.POSITIVE_INFINITY, -0.1, 1.1])
      assert.throws(() => scores.add({ scores: Float32Array.of(score), truth: Uint8Array.of(1) }), {
        code: 'bad-score',
      });
    assert.equal(scores.result().images, 0);
    const record = relatedRecord(['person', 'dog'], [[0, 'near', 1]]);
    const tagger = { name: 'broken', version: '1', baseline: true, tag: () => Float32Array.of(0.5, Number.NaN) };
    async function* one() {
      yield record;
    }
    await assert.rejects(evaluatePredicates(one(), tagger, { predicates: ['near'] }), {
      message: "evaluation: broken returned the score NaN for 'near' in 1.jpg, expected a number from 0 to 1",
    });
    const relations = new RelationScores();
    const side = { category: 'person', box: [0, 0, 10, 10] } as const;
    const found = { subject: side, predicate: 'near', object: side, score: 0.5 };
    for (const wrong of [{ score: Number.NaN }, { object: { category: 'dog', box: [0, 0, Number.NaN, 1] } as const }])
      assert.throws(() => relations.add(record, [{ ...found, ...wrong }]), { code: 'bad-score' });
  });

  it('are written to no line of a sink, with or without a schema', async () => {
    const own: Sink<ImageRecord> = {
      name: 'own',
      version: '1',
      needs: ['image'],
      line: ({ image }) => ({ image: image.id, deep: [{ value: image.id === 2 ? Number.NaN : 1 }] }),
    };
    const graph = new Graph('own');
    graph.from(memorySource(imageItems(3))).to(own);
    await assert.rejects(run(graph, { out: join(temporaryFolder(), 'run') }), {
      message: /sink 'own' \(record 1, image 2\): returned NaN at \/deep\/0\/value/,
    });
    const related = [0.5, Number.NaN, Number.POSITIVE_INFINITY].map((confidence, k) => {
      const record = relatedRecord(['person', 'dog'], [[0, 'near', 1]]);
      const relations = record.relations.map((relation) => ({ ...relation, confidence }));
      return { record: { ...record, image: { ...record.image, id: k + 1 }, relations } };
    });
    const scored = new Graph('scored');
    scored.from(memorySource(related, ['image', 'detections', 'origin', 'relations', 'tagger'])).to(sceneGraphs());
    const { manifest } = await run(scored, { out: join(temporaryFolder(), 'run') });
    assert.deepEqual(manifest!.stages['scene-graphs']!.rejected, { schema: 2 });
  });
});
