// npm run bench:tensorflow: the R-Tagger R50, recorded on TensorFlow's library for the processor, next to PyTorch.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { nativePackage } from '../src/model/backends/start-native-backend.js';
import { gigabytes } from './model/format-report.js';
import { OFFICIAL_PRODUCT, TASKS, type TaskTimes } from './tensorflow/tasks.js';

const HELP = `usage: npm run bench:tensorflow [-- [--python PYTHON] [--threads N] [--rounds N] [--only TASK]...]

Measures the R-Tagger R50, recorded on tensorflow, on a processor: the fastest round in wall time and in processor time, next to
PyTorch in the same run. Each task runs in a process of its own, PyTorch's between relflow's.

  --python PYTHON  a Python with torch and numpy; without it, times are compared with those of the official code in units
                   of the machine's own matrix product
  --threads N      of both (default 2); with one, processor time is reliable on a machine that has other work
  --rounds N       after a warm-up (default 3)
  --only TASK      ${TASKS.map(({ name }) => name).join(', ')} (default all)
  --help           this text`;

const { flags, usage } = scriptFlags(HELP, {
  python: { type: 'string' },
  threads: { type: 'string', default: '2' },
  rounds: { type: 'string', default: '3' },
  only: { type: 'string', multiple: true },
});
const threads = String(wholeNumber(usage, 'threads', flags.threads, 1, 64));
const rounds = String(wholeNumber(usage, 'rounds', flags.rounds, 1));
if (nativePackage() === undefined) usage('@tensorflow/tfjs-node is not installed, see docs/backends.md');
for (const name of flags.only ?? [])
  if (!TASKS.some((task) => task.name === name))
    usage(`--only ${name}, expected ${TASKS.map((task) => task.name).join(', ')}`);
const tasks = TASKS.filter(({ name }) => name === 'product' || (flags.only?.includes(name) ?? true));

/** Runs a task. @returns its lines of JSON; none if it failed */
function run(command: string, args: readonly string[]): unknown[] {
  const environment = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', TF_NUM_INTEROP_THREADS: threads };
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const { stdout, status, signal } = spawnSync(command, args, {
    env: environment,
    stdio: [...stdio],
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.exitCode = 1;
    console.error(`${command} ${args.join(' ')} ended by ${signal ?? `exit status ${status}`}`);
  }
  return (stdout ?? '').split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
}

const path = (name: string) => fileURLToPath(new URL(`./tensorflow/${name}`, import.meta.url));
const table = new Table({
  head: ['ms, wall / processor', 'tensorflow', 'PyTorch', 'ratio', 'wanted'],
  style: { head: [], border: [] },
});
const both = ({ wall, processor }: TaskTimes) => `${wall.toFixed(0)} / ${processor.toFixed(0)}`;
let product: TaskTimes | undefined;
for (const { name, title, official, wanted } of tasks) {
  const [ours, memory] = run(process.execPath, ['--import', 'tsx', path('measure.ts'), threads, rounds, name]) as [
    TaskTimes?,
    { readonly resident: number }?,
  ];
  if (!ours) {
    table.push([title, 'failed', '', '', '']);
    continue;
  }
  product ??= ours;
  const mine = `${both(ours)}${name === 'product' ? '' : `, ${gigabytes(memory!.resident)}`}`;
  const limit = wanted === undefined ? '' : `at most ${wanted.toFixed(1)}`;
  if (flags.python) {
    const [other] = run(flags.python, [path('pytorch-times.py'), threads, rounds, name]) as [TaskTimes?];
    const ratio = other && `${(ours.wall / other.wall).toFixed(2)} / ${(ours.processor / other.processor).toFixed(2)}`;
    const theirs = other ? both(other) : 'failed';
    table.push([title, mine, theirs, ratio ?? '', limit]);
    console.error(`${title}: ${mine}; PyTorch ${theirs}`);
  } else {
    const ratio = (ours.wall / product.wall) * (OFFICIAL_PRODUCT / official!);
    table.push([title, mine, `${official} (another machine)`, `${ratio.toFixed(2)} by products`, limit]);
    console.error(`${title}: ${mine}`);
  }
}
console.log(table.toString());
