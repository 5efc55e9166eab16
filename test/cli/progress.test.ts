import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { progressDisplay } from '../../src/cli/progress.js';
import type { RunProgress } from '../../src/index.js';

describe('progressDisplay without a terminal', () => {
  const { now } = performance;
  let at = 0;
  let events: { done: number; perSecond: number; etaSeconds: number | null }[] = [];

  before(() => {
    performance.now = () => at;
  });

  after(() => {
    performance.now = now;
  });

  it('measures the speed from the start of this process, not of the run', () => {
    events = [];
    const stream = new Writable({
      write(line, _encoding, done) {
        events.push(JSON.parse(String(line)));
        done();
      },
    });
    const { update } = progressDisplay(stream, false);
    const report = (milliseconds: number, phase: RunProgress['phase'], done: number) => {
      at = milliseconds;
      update({ phase, done, total: 10_000, records: done, shards: 0, stages: {}, usage: {} });
    };
    report(1000, 'checking', 500);
    report(2000, 'records', 4000);
    report(6000, 'records', 4040);
    report(7000, 'records', 4050);
    report(12_000, 'records', 4150);
    assert.deepEqual(
      events.map(({ done, perSecond, etaSeconds }) => [done, perSecond, etaSeconds]),
      [
        [4040, 10, 596],
        [4150, 18.3, 319.1],
      ],
    );
  });
});
