import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { CommandContext } from '../../src/cli/command-context.js';
import { progressDisplay } from '../../src/cli/progress.js';
import type { RunProgress } from '../../src/index.js';
import { relflow } from '../support/command.js';

describe('--progress json', () => {
  it('writes errors and notes as lines of JSON too', async () => {
    const { code, stderr } = await relflow([
      'run',
      'coco',
      '--annotations',
      'nowhere.json',
      '--captions',
      'x.json',
      '--out',
      'x',
      '--progress',
      'json',
    ]);
    assert.equal(code, 1);
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; message?: string });
    assert.equal(events.at(-1)?.event, 'error');
    assert.match(events.at(-1)?.message ?? '', /nowhere\.json/);
  });

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
    const { update, end } = progressDisplay(
      new CommandContext({ stdin: Readable.from([]), stdout: stream, stderr: stream }),
      { progress: 'json' },
    );
    const report = (milliseconds: number, phase: RunProgress['phase'], done: number) => {
      at = milliseconds;
      update({ phase, done, total: 10_000, records: done, shards: 0, stages: {}, usage: {} });
    };
    report(1000, 'checking', 500);
    report(2000, 'records', 4000);
    report(6000, 'records', 4040);
    report(7000, 'records', 4050);
    report(8000, 'records', 4052);
    report(12_000, 'records', 4150);
    end();
    assert.deepEqual(
      events.map(({ done, perSecond, etaSeconds }) => [done, perSecond, etaSeconds]),
      [
        [500, 0, null],
        [4000, 0, null],
        [4050, 10, 595],
        [4150, 20, 292.5],
      ],
    );
  });
});

describe('--progress bar', () => {
  it('ends each phase at its last state', () => {
    let text = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    const context = new CommandContext({ stdin: Readable.from([]), stdout: stream, stderr: stream });
    const { update, end } = progressDisplay(context, { progress: 'bar' });
    for (const done of [1, 2, 80])
      update({ phase: 'records', done, total: 80, records: done, shards: 0, stages: {}, usage: {} });
    end();
    assert.match(text, /100% 80\/80/);
  });
});
