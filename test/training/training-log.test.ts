import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeCurves } from '../../src/training/curves-page.js';
import { type TrainingEvent, TrainingLog } from '../../src/training/training-log.js';
import { temporaryFolder } from '../support/folders.js';

const step = (number: number) => ({
  event: 'step',
  step: number,
  loss: 1,
  parts: {},
  gradientNorm: 1,
  learningRate: 1,
});

describe('TrainingLog', () => {
  it('leaves out what is not an event, and events after the step', async () => {
    const log = join(temporaryFolder(), 'log.jsonl');
    const lines = ['null', '[]', '{"event":"step"}', '{"event":"step","step":1,"loss":"x"}', '{"event":7,"step":1}'];
    const [first, second] = [step(1), step(2)].map((event) => JSON.stringify(event));
    writeFileSync(log, [...lines, first, '{"step":', '['.repeat(100_000), second].join('\n'));
    await TrainingLog.open(log, 1);
    assert.equal(readFileSync(log, 'utf8'), `${first}\n`);
  });

  it('has no events without a file, and refuses a line without an end', async () => {
    const log = join(temporaryFolder(), 'log.jsonl');
    const events: TrainingEvent[] = [];
    for await (const event of TrainingLog.read(log)) events.push(event);
    assert.deepEqual(events, []);
    writeFileSync(log, `${JSON.stringify(step(1))}\n${' '.repeat(2000)}`);
    process.env['RELFLOW_MAX_ELEMENT_BYTES'] = '1000';
    try {
      await assert.rejects(writeCurves(log, join(temporaryFolder(), 'page.html'), 'x'), /log.jsonl: line 2 is longer/);
    } finally {
      delete process.env['RELFLOW_MAX_ELEMENT_BYTES'];
    }
  });
});
