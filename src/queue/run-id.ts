import writeFileAtomic from 'write-file-atomic';
import { makeFolder } from '../files/make-folder.js';
import { readSmallJson } from '../files/read-small-file.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import type { QueueServer } from './queue-server.js';
import { openQueue } from './queues.js';

/** Saves the id of a folder's run in the queues. */
export async function saveRunId(folder: RunFolder, run: string): Promise<void> {
  await makeFolder(folder.internalPath());
  await writeFileAtomic(folder.internalPath('queue.json'), `${JSON.stringify({ run })}\n`);
}

/** Reads the id under which a folder's run was last submitted; null when it was not. */
export async function savedRunId(folder: RunFolder): Promise<string | null> {
  try {
    await folder.checkInside(folder.internalPath('queue.json'));
    const { run } = (await readSmallJson(folder.internalPath('queue.json'))) as { run?: unknown };
    return typeof run === 'string' && /^[0-9a-f-]{36}$/.test(run) ? run : null;
  } catch {
    return null;
  }
}

/** Resolves to the id of a folder's run while it is in the queues; null when it is not or has ended. */
export async function currentRunId(server: QueueServer, folder: RunFolder): Promise<string | null> {
  const run = await savedRunId(folder);
  if (run === null) return null;
  const queue = openQueue(server, 'finish');
  try {
    const state = await queue.getJobState(run);
    return ['completed', 'failed', 'unknown'].includes(state) ? null : run;
  } finally {
    await queue.close();
  }
}
