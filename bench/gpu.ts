// npm run bench:gpu: passes and training steps of the full-size models on GPU backends, next to the official PyTorch code.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { nativePackage } from '../src/model/backends/start-native-backend.js';
import { missingWebgpuPackages } from '../src/model/backends/start-webgpu-backend.js';
import { type GpuLoad, sampleGpu } from './gpu/gpu-load.js';
import { FORWARD_ROWS, type GpuRow, STEP_ROWS, type StepMeasurement } from './gpu/gpu-rows.js';
import { type BackendMeasurements, gigabytes } from './model/format-report.js';

const HELP = `usage: npm run bench:gpu [-- [--backend NAME]... [--official FILE] [--steps N] [--eager] [--small]]

Measures the passes of the R-Tagger and training steps of R-Tagger and ParSeDA on each GPU backend, and prints them next to
the official PyTorch code in fp32. Each row runs in a process of its own; a row that fails is reported and the others go on.

  --backend NAME   tensorflow or webgpu (default: those whose packages are installed)
  --official FILE  JSON with milliseconds of the official code by the row's name, measured in the same run; default: an H200
  --steps N        steps after two warm-up steps; the median is printed (default 5)
  --eager          runs steps operation by operation too
  --small          tiny models and images of 96 × 128, to try the script on any machine
  --help           this text`;

const { flags, usage } = scriptFlags(HELP, {
  backend: { type: 'string', multiple: true },
  official: { type: 'string' },
  steps: { type: 'string', default: '5' },
  eager: { type: 'boolean' },
  small: { type: 'boolean' },
});
const steps = wholeNumber(usage, 'steps', flags.steps, 1);
const installed = [
  ...(nativePackage() === undefined ? [] : ['tensorflow']),
  ...(missingWebgpuPackages().length > 0 ? [] : ['webgpu']),
];
const backends = flags.backend ?? installed;
if (backends.length === 0) usage('no GPU backend is installed, see docs/backends.md');
const official = flags.official
  ? (JSON.parse(readFileSync(flags.official, 'utf8')) as Readonly<Record<string, number>>)
  : {};
const table = new Table({
  head: ['', 'PyTorch', ...backends.flatMap((backend) => [backend, 'ratio (wanted)', 'GPU busy, memory'])],
  style: { head: [], border: [] },
});

/** What a row shows of a backend. */
interface Measured {
  readonly milliseconds: number;
  readonly note?: string;
  readonly load: GpuLoad | null;
  readonly deviceBytes?: number;
}

/** Runs a script in a process of its own. @returns its last message; null if it failed */
async function run<T>(script: string, args: readonly string[]): Promise<{ result: T | null; load: GpuLoad | null }> {
  const stop = sampleGpu();
  // Compiled by a bundler, a script is JavaScript.
  const isSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`${script}.${isSource ? 'ts' : 'js'}`, import.meta.url));
  const child = fork(file, args, isSource ? { execArgv: ['--import', 'tsx'] } : {});
  let result: T | null = null;
  child.on('message', (message) => {
    result = message as T;
  });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) process.exitCode = 1;
  return { result, load: stop() };
}

const rows = new Map<string, Map<string, Measured>>();
const report = (name: string, backend: string, measured: Measured) => {
  const row = rows.get(name) ?? new Map<string, Measured>();
  rows.set(name, row.set(backend, measured));
  console.error(`${backend}: ${name}: ${measured.milliseconds.toFixed(1)} ms${measured.note ?? ''}`);
};

for (const backend of backends) {
  if (!flags.small) {
    const { result, load } = await run<BackendMeasurements>('./model/measure', [
      '--backend',
      backend,
      '--only',
      'tagger',
    ]);
    for (const { name } of FORWARD_ROWS) {
      const found = result?.measurements.find((one) => one.name === name);
      if (found)
        report(name, backend, {
          milliseconds: found.milliseconds,
          load,
          ...(result!.device !== undefined && { deviceBytes: result!.device }),
        });
    }
  }
  for (const { name, model, size } of STEP_ROWS)
    for (const mode of flags.eager ? ['', '--eager'] : ['']) {
      const small = flags.small
        ? ['--small', '--size', size.endsWith('x1') ? '96x128x1' : '96x128x2']
        : ['--size', size];
      const args = [
        '--backend',
        backend,
        '--model',
        model,
        '--steps',
        String(steps),
        ...small,
        ...(mode ? [mode] : []),
      ];
      const { result, load } = await run<StepMeasurement>('./gpu/measure-step', args);
      if (!result) {
        console.error(`${backend}: ${name}: failed`);
        continue;
      }
      const { milliseconds, first, isRecorded, losses, deviceBytes } = result;
      const note = `, ${isRecorded ? 'recorded' : 'eager'}, ${(first / 1000).toFixed(1)} s the first time, loss ${losses[0].toFixed(3)} to ${losses[1].toFixed(3)}`;
      const measured = { milliseconds, note, load, ...(deviceBytes !== undefined && { deviceBytes }) };
      report(mode ? `${name}, eager` : name, backend, measured);
    }
}

for (const { name, official: known, wanted } of [...FORWARD_ROWS, ...STEP_ROWS] as GpuRow[])
  for (const suffix of ['', ', eager']) {
    const row = rows.get(name + suffix);
    if (!row) continue;
    const milliseconds = official[name] ?? known;
    table.push([
      name + suffix,
      `${milliseconds} ms`,
      ...backends.flatMap((backend) => cells(row.get(backend), milliseconds, wanted[backend as keyof typeof wanted])),
    ]);
  }
console.log(table.toString());
if (flags.small) console.log('tiny models: the ratios mean nothing');

function cells(measured: Measured | undefined, milliseconds: number, wanted: number | undefined): string[] {
  if (!measured) return ['', '', ''];
  const { load, deviceBytes } = measured;
  const memory = [load && `${load.busy.toFixed(0)} %, ${gigabytes(load.bytes)}`, deviceBytes && gigabytes(deviceBytes)];
  return [
    `${measured.milliseconds.toFixed(1)} ms`,
    `${(measured.milliseconds / milliseconds).toFixed(2)}${wanted === undefined ? '' : ` (${wanted})`}`,
    memory.filter(Boolean).join('; allocated '),
  ];
}
