import type { Outcome } from '../graph/engine/record-tracker.js';
import { REJECTS } from '../run-folder/run-folder.js';
import type { OutcomeLines } from '../run-folder/shard-files.js';

/** What came of a record as lines of sinks, its rejects among them. */
export function outcomeLines({ writes, rejects, stages }: Outcome): OutcomeLines {
  const refused = rejects.map((reject) => ({ sink: REJECTS, line: JSON.stringify(reject) }));
  return { writes: [...writes, ...refused], stages };
}
