import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/records/random.js';
import { relflowProcess, start } from './command.js';
import { digests, temporaryFolder } from './folders.js';
import { writeSyntheticCoco } from './synthetic-coco.js';

/** A run of the coco pipeline in a process, and the files that it writes when nothing interrupts it. */
export interface ReferenceRun {
  /** The arguments without `--out`. */
  readonly args: readonly string[];
  /** SHA-256 of each file by its path. */
  readonly files: Record<string, string>;
  /** How long the process took. */
  readonly milliseconds: number;
}

/** Runs the coco pipeline over synthetic images without an interruption. */
export async function referenceRun(images: number): Promise<ReferenceRun> {
  const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), images);
  const inputs = ['--annotations', annotations, '--captions', captions];
  const args = ['run', 'coco', ...inputs, '--shard-records', '50', '--export', 'rlipv2', '--quiet'];
  const out = join(temporaryFolder(), 'out');
  const started = performance.now();
  const { code, stderr } = await relflowProcess([...args, '--out', out]);
  assert.equal(code, 0, stderr);
  return { args, files: digests(out), milliseconds: performance.now() - started };
}

/** Kills runs with -9 at random moments and resumes them; checks the files of each run that comes to its end. */
export async function checkKills({ args, files, milliseconds }: ReferenceRun, kills: number): Promise<void> {
  const random = new Random(1);
  let longest = milliseconds;
  let killed = 0;
  for (let out = ''; killed < kills || out !== ''; ) {
    out ||= join(temporaryFolder(), 'out');
    const fresh = !existsSync(join(out, '.relflow/run.json'));
    const { process: child, ended } = start(
      fresh ? [...args, '--out', out, '--overwrite'] : ['resume', out, '--quiet'],
    );
    const started = performance.now();
    const timer = killed < kills ? setTimeout(() => child.kill('SIGKILL'), random.next() * longest) : undefined;
    const { code, stderr } = await ended;
    clearTimeout(timer);
    if (code === null) {
      killed++;
      continue;
    }
    assert.equal(code, 0, stderr);
    assert.deepEqual(digests(out), files);
    // A machine that has become faster would complete most runs before the kill.
    if (fresh) longest = performance.now() - started;
    out = '';
  }
}
