// npx tsx bench/exports.ts [graphs [format…]] measures records/s and memory of every export format, or of some, on generated
// scene graphs, each in a process of its own, and of plain Python scripts that write COCO (json) and Parquet (pyarrow) from the same file. PYTHON names
// the interpreter. It exits with 1 when a process needs more than 500 MB or Python is faster.
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { EXPORT_FORMATS, type SceneGraph } from '../src/index.js';
import { Random } from '../src/records/random.js';

const MAX_MEGABYTES = 500;
const PEERS: Readonly<Record<string, string>> = { coco: 'coco', huggingface: 'parquet' };
/** Reports the memory of a process when it ends. */
const REPORT = "data:text/javascript,process.on('exit',()=>console.error('maxRSS',process.resourceUsage().maxRSS))";

const [count, ...formats] = process.argv.slice(2);
const graphs = Number(count ?? 1_000_000);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
const input = join(folder, 'graphs.jsonl');

try {
  await pipeline(Readable.from(lines(graphs)), createWriteStream(input));
  console.log(`${graphs.toLocaleString('en-US')} scene graphs`);
  for (const [format, { sink }] of Object.entries(EXPORT_FORMATS)) {
    if (sink !== 'scene-graphs' || (formats.length > 0 && !formats.includes(format))) continue;
    const out = join(folder, format);
    const own = measure(process.execPath, [
      '--import',
      REPORT,
      join(root, 'dist/src/cli/main.js'),
      'convert',
      input,
      '--from',
      'scene-graphs',
      '--to',
      format,
      '--out',
      out,
    ]);
    rmSync(out, { recursive: true, force: true });
    const peer = PEERS[format];
    const python = peer === undefined ? null : pythonSeconds(peer);
    const ratio = python === null ? '' : `, ${(python / own.seconds).toFixed(2)} times as fast as Python`;
    console.log(
      `${format.padEnd(20)}${Math.round(graphs / own.seconds).toLocaleString('en-US')} graphs/s, ${own.megabytes.toFixed(0)} MB${ratio}`,
    );
    if (own.megabytes > MAX_MEGABYTES || (python !== null && python < own.seconds)) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(program: string, args: readonly string[]): { seconds: number; megabytes: number } {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} exited with ${status}: ${stderr}`);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, megabytes: Number(/maxRSS (\d+)/.exec(stderr)?.[1]) / 1024 };
}

/** Runs a Python script on the same file; null if its packages are not installed. */
function pythonSeconds(peer: string): number | null {
  const script = fileURLToPath(new URL('exports/export.py', import.meta.url));
  const start = performance.now();
  const out = join(folder, 'python');
  const { status, stderr } = spawnSync(process.env['PYTHON'] ?? 'python3', [script, peer, input, out], {
    encoding: 'utf8',
  });
  rmSync(out, { force: true });
  if (status === 0) return (performance.now() - start) / 1000;
  console.log(`Python (${peer}) did not run: ${stderr.trim().split('\n').at(-1)}`);
  return null;
}

/** Yields scene graphs as lines: some 7 objects and 5 relations an image, as in pseudo-labeled COCO. */
function* lines(count: number): Generator<string> {
  const random = new Random(1);
  const pick = (names: readonly string[]) => names[Math.floor(random.next() * names.length)] as string;
  const categories = Array.from({ length: 80 }, (_, k) => `category ${k}`);
  const predicates = Array.from({ length: 60 }, (_, k) => `predicate ${k}`);
  const round = (value: number) => Math.round(value * 100) / 100;
  let piece = '';
  for (let id = 0; id < count; id++) {
    const objects = Array.from({ length: 2 + Math.floor(random.next() * 11) }, (_, k) => ({
      id: id * 20 + k,
      category: pick(categories),
      box: [round(random.next() * 300), round(random.next() * 200), 40, 60] as const,
    }));
    const graph: SceneGraph = {
      format: 'relflow.scene-graph/1',
      image: { id, file: `${id}.jpg`, width: 640, height: 480, dataset: 'generated', split: '' },
      objects,
      captions: [{ text: `${pick(categories)} ${pick(predicates)} ${pick(categories)}`, source: 'generated' }],
      relations: Array.from({ length: Math.floor(random.next() * 11) }, () => ({
        subject: Math.floor(random.next() * objects.length),
        object: Math.floor(random.next() * objects.length),
        predicate: pick(predicates),
        confidence: round(random.next()),
        captions: [0],
      })),
      provenance: { origin: { source: 'generated', file: 'generated' }, operators: [], tagger: null },
    };
    piece += `${JSON.stringify(graph)}\n`;
    if (piece.length > 1 << 20 || id === count - 1) {
      yield piece;
      piece = '';
    }
  }
}
