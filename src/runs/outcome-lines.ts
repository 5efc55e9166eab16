import type { Outcome } from '../graph/engine/record-tracker.js';
import { REJECTS } from '../run-folder/run-folder.js';
import type { Commit } from '../run-folder/shard-files.js';

/** What came of a record as lines of sinks, its rejects among them. */
export function commitOf({ writes, rejects, stages }: Outcome): Commit {
  const refused = rejects.map((reject) => ({ sink: REJECTS, line: JSON.stringify(reject) }));
  return { writes: [...writes, ...refused], stages };
}
