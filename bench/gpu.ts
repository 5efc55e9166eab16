// npm run bench:gpu: passes and training steps of the full-size models on GPU backends, next to the official PyTorch code.
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { nativePackage } from '../src/model/backends/start-native-backend.js';
import { missingWebgpuPackages } from '../src/model/backends/start-webgpu-backend.js';
import { type GpuLoad, sampleGpu } from './gpu/gpu-load.js';
import { FORWARD_ROWS, type GpuRow, type RowResult, STEP_ROWS, type StepMeasurement } from './gpu/gpu-rows.js';
import { type BackendMeasurements, gigabytes } from './model/format-report.js';

const HELP = `usage: npm run bench:gpu [-- [--backend NAME]... [--official FILE] [--json FILE] [--steps N] [--eager]
                             [--minutes N] [--row-seconds N] [--small]]

Measures the passes of the R-Tagger and training steps of R-Tagger and ParSeDA on each GPU backend, and prints them next to
the official PyTorch code in fp32. Each row runs in a process of its own; a row that fails or takes too long is reported and
the others go on.

  --backend NAME   a backend (default: tensorflow and webgpu, those whose packages are installed)
  --official FILE  JSON with milliseconds of the official code by the row's name, measured in the same run; default: an H200
  --json FILE      writes all results to a file, anew after each row
  --steps N        steps after two warm-up steps; the median is printed (default 5)
  --eager          runs steps operation by operation too
  --minutes N      after this time no row is started (default 12)
  --row-seconds N  a row that takes longer is stopped (default 150)
  --small          tiny models and images of 96 × 128, to try the script on any machine
  --help           this text`;

const { flags, usage } = scriptFlags(HELP, {
  backend: { type: 'string', multiple: true },
  official: { type: 'string' },
  json: { type: 'string' },
  steps: { type: 'string', default: '5' },
  eager: { type: 'boolean' },
  minutes: { type: 'string', default: '12' },
  'row-seconds': { type: 'string', default: '150' },
  small: { type: 'boolean' },
});
const steps = wholeNumber(usage, 'steps', flags.steps);
const deadline = performance.now() + 60_000 * wholeNumber(usage, 'minutes', flags.minutes);
const rowMilliseconds = 1000 * wholeNumber(usage, 'row-seconds', flags['row-seconds']);
const installed = [
  ...(nativePackage() === undefined ? [] : ['tensorflow']),
  ...(missingWebgpuPackages().length > 0 ? [] : ['webgpu']),
];
const backends = flags.backend ?? installed;
if (backends.length === 0) usage('no GPU backend is installed, see docs/backends.md');
const official = flags.official
  ? (JSON.parse(readFileSync(flags.official, 'utf8')) as Readonly<Record<string, number>>)
  : {};
const results: RowResult[] = [];

/** How a script of a row ended. */
interface RowRun<T> {
  /** The last message of the script. */
  readonly result: T | null;
  /** Why it has not finished; null if it has. */
  readonly error: string | null;
  readonly load: GpuLoad | null;
}

/** Runs a script in a process of its own, which is stopped if it takes too long. */
async function run<T>(script: string, args: readonly string[]): Promise<RowRun<T>> {
  if (performance.now() >= deadline)
    return { result: null, error: `not started: --minutes ${flags.minutes} are over`, load: null };
  const stop = sampleGpu();
  // Compiled by a bundler, a script is JavaScript.
  const isSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`${script}.${isSource ? 'ts' : 'js'}`, import.meta.url));
  const child = fork(file, args, {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    ...(isSource && { execArgv: ['--import', 'tsx'] }),
  });
  let result: T | null = null;
  let lastLine = '';
  child.on('message', (message) => {
    result = message as T;
  });
  child.stderr!.on('data', (text: Buffer) => {
    process.stderr.write(text);
    lastLine =
      text
        .toString()
        .trim()
        .split('\n')
        .findLast((line) => /error/i.test(line)) ?? lastLine;
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, rowMilliseconds);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...end) => resolve(end as [number | null, string | null])),
  );
  clearTimeout(timer);
  const ended = isLate
    ? `stopped after ${flags['row-seconds']} s`
    : `exit code ${code ?? signal}${lastLine ? `: ${lastLine.trim()}` : ''}`;
  return { result, error: code === 0 ? null : ended, load: stop() };
}

/** Adds the result of a row, prints it, and writes all results. */
function report(name: string, row: GpuRow, one: Omit<RowResult, 'row' | 'official' | 'wanted'>) {
  const limit = row.wanted[one.backend as keyof typeof row.wanted];
  const milliseconds = official[row.name] ?? row.official;
  results.push({ row: name, official: milliseconds, ...(limit !== undefined && { wanted: limit }), ...one });
  const { firstMilliseconds, isRecorded, losses, programs, adapter } = one;
  const facts = [
    one.milliseconds === undefined ? 'failed' : `${one.milliseconds.toFixed(1)} ms`,
    one.error,
    one.milliseconds !== undefined && `on ${adapter ?? 'a processor'}`,
    isRecorded !== undefined && (isRecorded ? 'recorded' : 'eager'),
    programs !== undefined && `${programs} programs`,
    firstMilliseconds !== undefined && `${(firstMilliseconds / 1000).toFixed(1)} s the first time`,
    losses && `loss ${losses[0].toFixed(3)} to ${losses[1].toFixed(3)}`,
  ];
  console.error(`${one.backend}: ${name}: ${facts.filter(Boolean).join(', ')}`);
  if (one.error !== undefined) process.exitCode = 1;
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ small: flags.small ?? false, results }, null, 2)}\n`);
}

const loadOf = (load: GpuLoad | null) => load && { gpuBusy: load.busy, gpuBytes: load.bytes };

async function measurePasses(backend: string): Promise<void> {
  const args = ['--backend', backend, '--only', 'tagger', ...(flags.small ? ['--small'] : [])];
  const { result, error, load } = await run<BackendMeasurements>('./model/measure', args);
  for (const row of FORWARD_ROWS) {
    const found = result?.measurements.find(({ name }) => name === row.name);
    report(row.name, row, {
      backend,
      ...(found ? { milliseconds: found.milliseconds, ...loadOf(load) } : { error: error ?? 'not measured' }),
      ...(found?.first !== undefined && { firstMilliseconds: found.first }),
      ...(result?.device !== undefined && { deviceBytes: result.device }),
      ...(result?.adapter !== undefined && { adapter: result.adapter }),
    });
  }
}

async function measureSteps(backend: string, row: (typeof STEP_ROWS)[number], isEager: boolean): Promise<void> {
  const { model, size } = row;
  const args = [
    ...['--backend', backend, '--model', model, '--steps', String(steps)],
    ...(flags.small ? ['--small', '--size', size.endsWith('x1') ? '96x128x1' : '96x128x2'] : ['--size', size]),
    ...(isEager ? ['--eager'] : []),
  ];
  const { result, error, load } = await run<StepMeasurement>('./gpu/measure-step', args);
  const { first, ...measured } = result ?? {};
  report(isEager ? `${row.name}, eager` : row.name, row, {
    backend,
    ...measured,
    ...(first !== undefined && { firstMilliseconds: first, ...loadOf(load) }),
    ...(error !== null && { error }),
  });
}

for (const backend of backends) {
  await measurePasses(backend);
  for (const isEager of flags.eager ? [false, true] : [false])
    for (const row of STEP_ROWS) await measureSteps(backend, row, isEager);
}

const table = new Table({
  head: ['', 'PyTorch', ...backends.flatMap((backend) => [headOf(backend), 'ratio (wanted)', 'GPU busy, memory'])],
  style: { head: [], border: [] },
});
for (const name of new Set(results.map(({ row }) => row))) {
  const found = backends.map((backend) => results.find((one) => one.row === name && one.backend === backend));
  table.push([name, `${found.find(Boolean)!.official} ms`, ...found.flatMap(cells)]);
}
console.log(table.toString());
if (flags.small) console.log('tiny models and images, which are not compared with PyTorch');

/** A backend, and what it ran on. */
function headOf(backend: string): string {
  const measured = results.filter((one) => one.backend === backend && one.milliseconds !== undefined);
  const on = new Set(measured.map(({ adapter }) => adapter ?? 'a processor'));
  return on.size > 0 ? `${backend} on ${[...on].join(' and ')}` : backend;
}

function cells(one: RowResult | undefined): string[] {
  if (one?.milliseconds === undefined) return [one ? 'failed' : '', '', ''];
  const { milliseconds, wanted, gpuBusy, gpuBytes, deviceBytes } = one;
  const memory = [
    gpuBusy !== undefined && `${gpuBusy.toFixed(0)} %, ${gigabytes(gpuBytes!)}`,
    deviceBytes !== undefined && `allocated ${gigabytes(deviceBytes)}`,
  ];
  return [
    `${milliseconds.toFixed(1)} ms`,
    flags.small ? '' : `${(milliseconds / one.official).toFixed(2)}${wanted === undefined ? '' : ` (${wanted})`}`,
    memory.filter(Boolean).join('; '),
  ];
}
