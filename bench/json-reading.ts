// Measures the MB/s of relflow's streaming reader and of JSON.parse on the same file, each the best of three rounds in
// one process; and of Python's json.load and pycocotools in another process, if they are installed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { streamJson } from '../src/files/json/stream-json.js';

const ROUNDS = 3;
const MIN_RATIO = 0.7;
const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
const file = join(folder, 'annotations.json');

async function best(work: () => Promise<number>): Promise<{ seconds: number; elements: number }> {
  let seconds = Number.POSITIVE_INFINITY;
  let elements = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    elements = await work();
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  return { seconds, elements };
}

try {
  const generator = fileURLToPath(new URL('./generate-objects365.ts', import.meta.url));
  const made = spawnSync(process.execPath, ['--import', 'tsx', generator, '--images', '90000', '--out', file], {
    stdio: 'inherit',
  });
  if (made.status !== 0) throw new Error(`the generator exited with ${made.status}`);
  const megabytes = statSync(file).size / 1e6;

  const streamed = await best(async () => {
    let elements = 0;
    for await (const { values } of streamJson(file, { layout: ['images', 'annotations', 'categories'] }))
      elements += values.length;
    return elements;
  });
  const parsed = await best(async () => {
    const whole = JSON.parse(readFileSync(file, 'utf8')) as Record<'images' | 'annotations' | 'categories', unknown[]>;
    return whole.images.length + whole.annotations.length + whole.categories.length;
  });
  if (streamed.elements !== parsed.elements)
    throw new Error(`streamJson read ${streamed.elements} elements, JSON.parse ${parsed.elements}`);
  const rate = (seconds: number) => megabytes / seconds;
  console.log(`file          ${megabytes.toFixed(0)} MB, ${parsed.elements} elements`);
  console.log(`streamJson    ${rate(streamed.seconds).toFixed(0)} MB/s`);
  console.log(`JSON.parse    ${rate(parsed.seconds).toFixed(0)} MB/s, the whole file in memory`);
  const ratio = parsed.seconds / streamed.seconds;
  console.log(`ratio         ${ratio.toFixed(2)} relative to JSON.parse, limit ${MIN_RATIO}`);
  for (const [name, seconds] of Object.entries(pythonSeconds())) {
    const relative = `streamJson is ${(seconds / streamed.seconds).toFixed(2)} times as fast`;
    console.log(`${name.padEnd(14)}${rate(seconds).toFixed(0)} MB/s, ${relative}`);
  }
  if (ratio < MIN_RATIO) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Returns the seconds of Python's readers; none if Python is not installed. */
function pythonSeconds(): Record<string, number> {
  const script = `
import json, sys, time, contextlib, io
def best(work):
    times = []
    for _ in range(${ROUNDS}):
        begun = time.perf_counter(); work(); times.append(time.perf_counter() - begun)
    return min(times)
def load():
    with open(sys.argv[1]) as file: json.load(file)
seconds = {'json.load': best(load)}
try:
    from pycocotools.coco import COCO
    def coco():
        with contextlib.redirect_stdout(io.StringIO()): COCO(sys.argv[1])
    seconds['pycocotools'] = best(coco)
except ImportError: pass
print(json.dumps(seconds))`;
  const { status, stdout } = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Record<string, number>) : {};
}
