import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** Makes a new empty folder, which is removed when the process exits. */
export function temporaryFolder(): string {
  parent ??= mkdtempSync(join(tmpdir(), 'relflow-test-'));
  return mkdtempSync(join(parent, 't-'));
}

let parent: string | undefined;

process.on('exit', () => {
  if (parent === undefined) return;
  // It may hold ten thousand files, which rm removes in a fraction of the time.
  const { status } = spawnSync('rm', ['-rf', parent]);
  if (status !== 0) rmSync(parent, { recursive: true, force: true });
});

/** Writes a file of the user, and makes the folders that it needs. */
export function putFile(file: string, text = 'mine'): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Returns the SHA-256 of every file below a folder by its path, except `report.json`, which contains times. */
export function digests(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (at: string) => {
    for (const name of readdirSync(at).sort()) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) visit(path);
      else if (name !== 'report.json') {
        found[relative(folder, path)] = createHash('sha256').update(readFileSync(path)).digest('hex');
      }
    }
  };
  visit(folder);
  return found;
}
