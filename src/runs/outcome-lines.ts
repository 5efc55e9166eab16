import type { Outcome } from '../graph/engine/record-tracker.js';
import { REJECTS } from '../run-folder/run-folder.js';
import type { OutcomeLines } from '../run-folder/shard-files.js';

/** Returns a record's outcome as lines of sinks, with its rejects as lines of the sink `rejects`. */
export function outcomeLines({ writes, rejects, stages }: Outcome): OutcomeLines {
  const rejected = rejects.map((reject) => ({ sink: REJECTS, line: JSON.stringify(reject) }));
  return { writes: [...writes, ...rejected], stages };
}
