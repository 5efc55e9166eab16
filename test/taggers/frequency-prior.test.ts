import assert from 'node:assert/strict';
import { FrequencyPrior } from '../../src/taggers/frequency-prior.js';
import { relatedRecord } from '../support/records.js';
import { assertClose } from '../support/tensors.js';

describe('FrequencyPrior', () => {
  it('is the frequency of a predicate between two categories, smoothed by its overall frequency', () => {
    const prior = new FrequencyPrior();
    prior.add(relatedRecord(['person', 'horse'], [[0, 'riding', 1]]));
    prior.add(
      relatedRecord(
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
