import assert from 'node:assert/strict';
import { perturbDetections } from '../../../src/evaluation/predicates/perturb-detections.js';
import { relatedRecord } from '../../support/records.js';
import { assertClose } from '../../support/tensors.js';

describe('perturbDetections', () => {
  const categories = ['dog', 'cat'];
  const image = relatedRecord(
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
