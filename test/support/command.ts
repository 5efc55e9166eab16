import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { runCli } from '../../src/cli/run-cli.js';
import { packageRoot } from '../../src/package-info.js';
import { command } from './build.js';

export { command } from './build.js';

/** The scenes that come with relflow. */
export const SCENES: string = join(packageRoot, 'fixtures', 'scenes');

/** Exit code and output of a command. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts the compiled `relflow` in a process of its own.
 *
 * @param wrapper command that runs it, such as `ip netns exec NAME`
 */
export function start(
  args: readonly string[],
  wrapper: readonly string[] = [],
): { process: ChildProcess; ended: Promise<Ended> } {
  const [program = '', ...rest] = [...wrapper, process.execPath, command(), ...args];
  const child = spawn(program, rest, { cwd: packageRoot, stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
  return { process: child, ended };
}

/** Runs the compiled `relflow` in a process of its own, to its end. */
export function relflowProcess(args: readonly string[], input = ''): Promise<Ended> {
  const { process: child, ended } = start(args);
  child.stdin?.end(input);
  return ended;
}

/** Runs `relflow` inside this process. */
export async function relflow(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const [stdout, stderr] = [new TextSink(), new TextSink()];
  const code = await runCli(args, { stdin: Readable.from([input]), stdout, stderr, env });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** A stream that collects its text. */
class TextSink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** Calls a function with each item, two at a time. */
export async function inPairs<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let k = 0; k < items.length; k += 2) await Promise.all(items.slice(k, k + 2).map(act));
}
