import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { digest } from '../files/digest.js';
import { isFile } from '../files/is-file.js';
import type { RunState } from '../records/run-state.js';

/**
 * Records in the user's own folder that a run was started here, so that its options are known to be the user's: an empty
 * file, named by a checksum of the run's definition. Nothing is recorded in the run's folder, which anyone may have made.
 */
export async function recordStart(state: RunState): Promise<void> {
  if (state.options === null) return;
  const file = recordOf(state);
  try {
    await mkdir(folderOfRecords(), { recursive: true, mode: 0o700 });
    await writeFile(file, '', { mode: 0o600 });
  } catch {
    // Without a record, the run can be resumed by naming its options again.
  }
}

/** Resolves to whether a run with exactly this definition was started by this user. */
export function wasStartedHere(state: RunState): Promise<boolean> {
  return isFile(recordOf(state));
}

function folderOfRecords(): string {
  return process.env['RELFLOW_STATE'] || join(envPaths('relflow', { suffix: '' }).data, 'started-runs');
}

function recordOf(state: RunState): string {
  const { recipe } = (state.options ?? {}) as { readonly recipe?: unknown };
  // A relative module is another one in another folder.
  const module = typeof recipe === 'string' && /[./\\]/.test(recipe) ? resolve(recipe) : null;
  return join(folderOfRecords(), digest({ state, module }));
}
