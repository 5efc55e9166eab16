import assert from 'node:assert/strict';
import { officialGroups } from '../../src/records/candidate-groups.js';

describe('officialGroups', () => {
  it('splits repeated pairs into groups of the given size', () => {
    const texts = ['on', 'near', 'by'].map((text) => ({ text, captions: [0] }));
    assert.deepEqual(
      officialGroups(
        [
          { subject: 0, object: 1, texts },
          { subject: 1, object: 0, texts: texts.slice(1) },
        ],
        2,
      ),
      [
        [
          [
            [0, 1],
            [0, 1],
          ],
          ['on', 'near'],
        ],
        [
          [
            [0, 1],
            [1, 0],
          ],
          ['by', 'near'],
        ],
        [[[1, 0]], ['by']],
      ],
    );
    assert.deepEqual(officialGroups([{ subject: 0, object: 1, texts: texts.slice(1) }], 2).length, 2);
    assert.deepEqual(officialGroups([]), [[[], []]]);
  });
});
