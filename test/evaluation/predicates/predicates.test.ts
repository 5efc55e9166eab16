import assert from 'node:assert/strict';
import { evaluatePredicates } from '../../../src/evaluation/predicates/evaluate-predicates.js';
import { perturbDetections } from '../../../src/evaluation/predicates/perturb-detections.js';
import { averagePrecision, PredicateScores } from '../../../src/evaluation/predicates/predicate-scores.js';
import type { ImageRecord } from '../../../src/records/image.js';
import type { RelationTagger } from '../../../src/records/ports.js';
import type { Related } from '../../../src/records/scene-graph.js';
import { baselineTagger } from '../../../src/taggers/baseline-tagger.js';
import { FrequencyPrior } from '../../../src/taggers/frequency-prior.js';
import { assertClose } from '../../support/tensors.js';

const ranked = (...candidates: readonly (readonly [number, 0 | 1])[]) =>
  candidates.map(([score, holds]) => ({ score, holds: holds === 1 }));

const record = (categories: readonly string[], relations: readonly (readonly [number, string, number])[]) =>
  ({
    image: { id: 1, file: '1.jpg', width: 100, height: 100, dataset: 'test', split: '' },
    detections: categories.map((category, id) => ({ id, category, box: [10 * id, 0, 10, 10] })),
    origin: { source: 'test', file: 'test.json' },
    relations: relations.map(([subject, predicate, object]) => ({ subject, object, predicate })),
    tagger: null,
  }) as ImageRecord & Related;

async function* of<T>(...items: readonly T[]) {
  yield* items;
}

describe('averagePrecision', () => {
  it('is 1 when all positives rank first, and equals values computed by hand otherwise', () => {
    assert.equal(averagePrecision(ranked([0.9, 1], [0.8, 1], [0.1, 0])), 1);
    assertClose([averagePrecision(ranked([0.9, 1], [0.8, 0], [0.7, 1], [0.1, 0]))!], [(1 + 2 / 3) / 2]);
    assert.equal(averagePrecision(ranked([0.9, 0])), null);
  });

  it('treats equal scores as one threshold: if all are equal, it is the share of positives', () => {
    const equal = ranked([0.5, 1], [0.5, 0], [0.5, 0], [0.5, 1]);
    assert.equal(averagePrecision(equal), 0.5);
    assert.equal(averagePrecision(equal.toReversed()), 0.5);
  });
});

describe('PredicateScores', () => {
  it('computes recall, recall with one predicate per pair, and mean recall as by hand', () => {
    const scores = new PredicateScores(['on', 'near'], [1, 2, 3]);
    // Both predicates hold for pair 0, near holds for pair 1; the second pair's "on" is wrong and ranks second.
    scores.add({ scores: Float32Array.from([0.9, 0.6, 0.8, 0.1]), truth: Uint8Array.from([1, 1, 0, 1]) });
    scores.add({ scores: Float32Array.from([0.2, 0.1]), truth: Uint8Array.from([0, 0]) });
    const report = scores.result();
    assert.deepEqual([report.images, report.imagesWithRelations, report.pairs, report.relations], [2, 1, 3, 3]);
    assertClose(Object.values(report.recall), [1 / 3, 1 / 3, 2 / 3]);
    assertClose(Object.values(report.constrainedRecall), [1 / 3, 1 / 3, 1 / 3]);
    // on: found at K = 1; near: none, none, one of two.
    assertClose(Object.values(report.meanRecall), [0.5, 0.5, 0.75]);
    assert.deepEqual(
      report.predicates.map(({ count }) => count),
      [1, 2],
    );
  });

  it('computes the calibration error', () => {
    const scores = new PredicateScores(['on']);
    scores.add({ scores: Float32Array.from([0.75, 0.75, 0.75, 0.75]), truth: Uint8Array.from([1, 1, 1, 0]) });
    assertClose([scores.result().calibrationError], [0]);
    scores.add({ scores: Float32Array.from([1, 1, 1, 1]), truth: Uint8Array.from([0, 0, 0, 0]) });
    assertClose([scores.result().calibrationError], [0.5]);
    assert.throws(() => scores.add({ scores: new Float32Array(2), truth: new Uint8Array(3) }), RangeError);
  });
});

describe('FrequencyPrior', () => {
  it('is the frequency of a predicate between two categories, smoothed by its overall frequency', () => {
    const prior = new FrequencyPrior();
    prior.add(record(['person', 'horse'], [[0, 'riding', 1]]));
    prior.add(
      record(
        ['person', 'horse', 'horse'],
        [
          [0, 'riding', 1],
          [0, 'riding', 1],
        ],
      ),
    );
    // Two of eight ordered pairs hold; three are a person and a horse. A duplicate relation counts once.
    const overall = 2 / (2 + 6);
    assertClose([prior.probability('person', 'riding', 'horse')], [(2 + overall) / (3 + 1)]);
    assertClose([prior.probability('horse', 'riding', 'horse')], [overall / (2 + 1)]);
    assertClose([prior.probability('dog', 'riding', 'horse')], [overall]);
    assert.equal(prior.probability('person', 'eating', 'horse'), 0);
  });
});

describe('perturbDetections', () => {
  const categories = ['dog', 'cat'];
  const image = record(
    Array.from({ length: 200 }, () => 'person'),
    [],
  );
  const at = (box: number, label: number, seed = 1) => perturbDetections(image, { box, label, categories, seed });

  it('is deterministic by seed, and changes nothing at rates of 0', () => {
    assert.deepEqual(at(0.4, 0.2), at(0.4, 0.2));
    assert.notDeepEqual(at(0.4, 0.2), at(0.4, 0.2, 2));
    for (const [k, { category, box }] of at(0, 0).entries()) {
      assert.equal(category, 'person');
      if (k < 10) assertClose(box, image.detections[k]!.box, 1e-9);
    }
  });

  it('flips labels at the given rate, and keeps a positive area of boxes', () => {
    const changed = at(0.4, 0.2);
    const flipped = changed.filter(({ category }) => category !== 'person');
    assert.ok(flipped.length > 20 && flipped.length < 62, `${flipped.length} of 200`);
    assert.ok(changed.every(({ box }) => box[2] > 0 && box[3] > 0));
    for (const { box } of changed.slice(1, 9)) assert.ok(box[2] >= 6 - 1e-9 && box[2] <= 14 + 1e-9, `${box}`);
  });
});

describe('evaluatePredicates', () => {
  const predicates = ['riding', 'next to'];
  const truth = record(
    ['person', 'horse', 'person'],
    [
      [0, 'riding', 1],
      [2, 'next to', 0],
      [1, 'unasked', 0],
    ],
  );

  it('requests every ordered pair, in batches that the tagger accepts, and gives a perfect tagger full scores', async () => {
    const asked: string[] = [];
    const perfect: RelationTagger = {
      name: 'perfect',
      version: '1',
      baseline: false,
      pairsAtOnce: 4,
      tag: ({ pairs, texts }) => {
        asked.push(...pairs.map(({ subject, object }) => `${subject}${object}`));
        assert.ok(pairs.length <= 4);
        return Float32Array.from(
          pairs.flatMap(({ subject, object }) =>
            texts.map((text) =>
              truth.relations.some((r) => r.subject === subject && r.object === object && r.predicate === text) ? 1 : 0,
            ),
          ),
        );
      },
    };
    const report = await evaluatePredicates(of(truth, record([], []), record(['dog'], [])), perfect, { predicates });
    assert.deepEqual(asked, ['01', '02', '10', '12', '20', '21']);
    assert.deepEqual([report.meanAveragePrecision, report.calibrationError, report.relations], [1, 0, 2]);
    assert.deepEqual([report.images, report.pairs], [3, 6]);
  });

  it('passes perturbed detections to the tagger and scores it by the ground truth', async () => {
    const prior = new FrequencyPrior();
    prior.add(truth);
    const clean = await evaluatePredicates(of(truth), prior.tagger(), { predicates });
    const perturb = () => truth.detections.map((detection) => ({ ...detection, category: 'cat' }));
    const blind = await evaluatePredicates(of(truth), prior.tagger(), { predicates, perturb });
    assert.ok(clean.meanAveragePrecision > blind.meanAveragePrecision);
    // Without categories all pairs are equal: one of six holds.
    assertClose([blind.meanAveragePrecision], [1 / 6]);
  });

  it('scores the baseline tagger', async () => {
    const report = await evaluatePredicates(of(truth), baselineTagger(), { predicates });
    assert.ok(report.meanAveragePrecision > 0 && report.meanAveragePrecision <= 1);
    assert.ok(report.predicates.every(({ averagePrecision: ap }) => ap !== null));
  });
});
