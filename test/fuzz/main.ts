// npm run fuzz -- [reader…] --seconds N --seed S gives random inputs to the readers of files, N seconds to each.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepInput } from './fixture.js';
import { fuzzReader } from './fuzz-reader.js';
import { readerOf, readers } from './readers.js';

const HELP = `usage: npm run fuzz -- [reader…] [--seconds N] [--inputs N] [--seed S] [--jobs N]

Gives changed inputs to the readers of files through their public functions. An input must be read or refused by an error
of relflow's own, within 5 seconds of CPU time and 1 GiB of memory, and what is read and rejected must add up. Inputs that
fail are made smaller and kept in fixtures/fuzz, which npm test reads again. Exits with 1 if any input fails.

  --seconds N  seconds for each reader (default 10)
  --inputs N   stop a reader after this number of inputs
  --seed S     the same seed gives the same inputs (default: the time)
  --jobs N     processes that share the readers (default 1)

readers: ${readers.map(({ name }) => name).join(', ')}`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    jobs: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}
const seed = Number(flags.seed);
const names = positionals.length > 0 ? positionals.map((name) => readerOf(name).name) : readers.map(({ name }) => name);
const jobs = Math.min(Number(flags.jobs), names.length);

/** Fuzzes the readers one after another; returns the numbers of inputs and of failures. */
async function fuzzHere(): Promise<readonly [inputs: number, failed: number]> {
  const parent = mkdtempSync(join(tmpdir(), 'relflow-fuzz-'));
  let inputs = 0;
  let failed = 0;
  try {
    for (const name of names) {
      const options = { seed, seconds: Number(flags.seconds), folder: join(parent, name) };
      const result = await fuzzReader(name, {
        ...options,
        ...(flags.inputs !== undefined && { inputs: Number(flags.inputs) }),
      });
      inputs += result.inputs;
      failed += result.findings.length;
      console.log(`${name.padEnd(20)}${String(result.inputs).padStart(8)} inputs, ${result.refused} refused`);
      for (const finding of result.findings) {
        console.log(`  input ${finding.n}: ${finding.problem.split('\n').slice(0, 6).join('\n    ')}`);
        console.log(`  kept in ${keepInput(name, finding)}`);
      }
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
  return [inputs, failed];
}

/** Fuzzes each n-th reader in a process of its own, since the limits of CPU time and memory are those of a process. */
async function fuzzInProcesses(): Promise<readonly [inputs: number, failed: number]> {
  const limit = flags.inputs === undefined ? [] : ['--inputs', flags.inputs];
  const given = ['--seconds', flags.seconds, '--seed', String(seed), ...limit];
  const ended = await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const own = names.filter((_, k) => k % jobs === job);
      const args = ['--import', 'tsx', fileURLToPath(import.meta.url), ...own, ...given];
      const { stdout } = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = (await text(stdout)).trimEnd().split('\n');
      const end = /^(\d+) inputs with seed \d+, (\d+) failed$/.exec(lines.pop() ?? '');
      console.log(lines.join('\n'));
      if (!end) throw new Error(`fuzzing ended early: ${own.join(', ')}`);
      return [Number(end[1]), Number(end[2])] as const;
    }),
  );
  return ended.reduce(([inputs, failed], [more, others]) => [inputs + more, failed + others]);
}

const [inputs, failed] = await (jobs > 1 ? fuzzInProcesses() : fuzzHere());
console.log(`${inputs} inputs with seed ${seed}, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
