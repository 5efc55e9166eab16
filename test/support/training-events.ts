import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainingEvent } from '../../src/training/training-log.js';

/** Returns the events in the log of a training. @param out its folder */
export const eventsOf = (out: string): TrainingEvent[] =>
  readFileSync(join(out, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TrainingEvent);

/** Returns the events of the steps in the log of a training. @param out its folder */
export const stepsOf = (out: string) => eventsOf(out).flatMap((event) => (event.event === 'step' ? [event] : []));
