import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { command } from './build.js';

/** When a training is killed: this long after it has logged a step. */
export interface KillMoment {
  readonly step: number;
  readonly milliseconds: number;
}

/** Trains from the command line and resumes after each kill; returns how often the training was killed. */
export async function trainWithKills(config: string, out: string, moments: readonly KillMoment[]): Promise<number> {
  // The last line may be incomplete, so the log is not parsed.
  const log = () => (existsSync(join(out, 'log.jsonl')) ? readFileSync(join(out, 'log.jsonl'), 'utf8') : '');
  const lastStep = () => Math.max(-1, ...[...log().matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
  const { task } = JSON.parse(readFileSync(config, 'utf8')) as { task: string };
  let kills = 0;
  for (const { step, milliseconds } of moments) {
    const args = ['train', task, '--config', config, '--out', out, '--quiet'];
    if (existsSync(out)) args.push('--resume');
    const child = spawn(process.execPath, [command(), ...args], {
      cwd: packageRoot,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    const killer = setInterval(() => {
      if (lastStep() < step) return;
      clearInterval(killer);
      setTimeout(() => child.kill('SIGKILL'), milliseconds);
    }, 10);
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.on('close', (...end) => resolve(end)),
    );
    clearInterval(killer);
    if (signal === 'SIGKILL') kills++;
    // On a busy machine the training may complete before it is killed.
    else assert.equal(code, 0, stderr);
  }
  return kills;
}
