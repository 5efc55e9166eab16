import assert from 'node:assert/strict';
import { officialSchedule, type Schedule, scheduleFactor } from '../../../src/training/optimizer/schedule.js';
import { assertClose } from '../../support/tensors.js';

describe('scheduleFactor', () => {
  const factors = (schedule: Schedule, steps: readonly number[], all: number, perEpoch = 1) =>
    steps.map((step) => scheduleFactor(schedule, step, all, Math.floor(step / perEpoch)));

  it('drops in steps: to a tenth after epoch 15 in the official schedule', () => {
    assert.deepEqual(factors(officialSchedule, [0, 14, 15, 19], 20), [1, 1, 0.1, 0.1]);
    const twice: Schedule = { kind: 'step', dropAfter: [2, 4], factor: 0.5, warmup: 0 };
    assert.deepEqual(factors(twice, [0, 3, 4, 7, 8], 10, 2), [1, 1, 0.5, 0.5, 0.25]);
  });

  it('follows a cosine from 1 to its floor', () => {
    const cosine: Schedule = { kind: 'cosine', floor: 0.1, warmup: 0 };
    // 0.1 + 0.9 · (1 + cos(π t)) / 2 at t = 0, 1/4, 1/2, 1.
    assertClose(factors(cosine, [0, 25, 50, 100], 100), [1, 0.8681981, 0.55, 0.1], 1e-6);
    assertClose(factors(cosine, [101, 500], 100), [0.1, 0.1], 1e-9);
  });

  it('grows during the warm-up, then falls over the remaining steps', () => {
    const warm: Schedule = { kind: 'cosine', floor: 0, warmup: 4 };
    assertClose(factors(warm, [0, 1, 3, 4, 9, 14], 14), [0.25, 0.5, 1, 1, 0.5, 0], 1e-9);
    assertClose(factors({ ...officialSchedule, warmup: 2 }, [0, 1, 2], 20), [0.5, 1, 1]);
    assert.equal(scheduleFactor(warm, 0, 1, 0), 0.25);
  });
});
