import assert from 'node:assert/strict';
import { evaluatePredicates } from '../../../src/evaluation/predicates/evaluate-predicates.js';
import type { RelationTagger } from '../../../src/records/ports.js';
import { baselineTagger } from '../../../src/taggers/baseline-tagger.js';
import { FrequencyPrior } from '../../../src/taggers/frequency-prior.js';
import { relatedRecord } from '../../support/records.js';
import { assertClose } from '../../support/tensors.js';

async function* of<T>(...items: readonly T[]) {
  yield* items;
}

describe('evaluatePredicates', () => {
  const predicates = ['riding', 'next to'];
  const truth = relatedRecord(
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
    const report = await evaluatePredicates(of(truth, relatedRecord([], []), relatedRecord(['dog'], [])), perfect, {
      predicates,
    });
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
