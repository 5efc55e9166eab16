// Measures records/s and peak memory of source → match → pair → sink for 10k and 100k synthetic images, each in its own
// process. Fails when peak memory grows by more than 20 % between the two.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectEarly } from '../src/cli/collect-early.js';
import {
  candidateSets,
  Graph,
  type ImageRecord,
  match,
  objects365,
  operator,
  type Parsed,
  pair,
  run,
} from '../src/index.js';

const SIZES = [10_000, 100_000];
const MAX_GROWTH = 1.2;

/** Stands in for captions: relates the first two categories of the image. Parsing has its own benchmark. */
const phrases = operator<ImageRecord, Parsed>({
  name: 'phrases',
  version: '1',
  needs: ['detections'],
  adds: ['phrases'],
  apply: ({ detections }) => {
    const entities = [...new Set(detections.map(({ category }) => category))].slice(0, 2).map((span) => {
      return { span, start: 0, end: span.length, head: span, lemma: span, attributes: [] };
    });
    const relations = entities.length === 2 ? [{ subject: 0, object: 1, predicate: 'on', lemma: 'on' }] : [];
    return { phrases: [{ entities, relations }] };
  },
});

interface Measured {
  readonly seconds: number;
  readonly records: number;
  readonly peakMegabytes: number;
}

async function measure(annotations: string, out: string): Promise<Measured> {
  const graph = new Graph('bench');
  const captions = operator<ImageRecord, { captions: [] }>({
    name: 'no-captions',
    version: '1',
    needs: [],
    adds: ['captions'],
    apply: () => ({ captions: [] }),
  });
  graph
    .from(objects365({ annotations }))
    .pipe(captions)
    .pipe(phrases)
    .pipe(match({ vocabulary: 'objects365' }))
    .pipe(pair())
    .to(candidateSets());
  const started = performance.now();
  const { records } = await run(graph, { out });
  const seconds = (performance.now() - started) / 1000;
  return { seconds, records, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
}

function node(args: readonly string[]): string {
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}`);
  return stdout;
}

const [annotations, out] = process.argv.slice(2);
if (annotations !== undefined && out !== undefined) {
  // The command line sets this too.
  collectEarly();
  console.log(JSON.stringify(await measure(annotations, out)));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
  const generator = fileURLToPath(new URL('./generate-objects365.ts', import.meta.url));
  const peaks: number[] = [];
  try {
    console.log(' images       MB   seconds   images/s   peak MB');
    for (const images of SIZES) {
      const file = join(folder, `${images}.json`);
      node([generator, '--images', String(images), '--boxes-per-image', '8', '--out', file]);
      const worker = [fileURLToPath(import.meta.url), file, join(folder, `out-${images}`)];
      const { seconds, records, peakMegabytes } = JSON.parse(node(worker)) as Measured;
      peaks.push(peakMegabytes);
      const cells = [
        String(records).padStart(7),
        (statSync(file).size / 1e6).toFixed(1).padStart(8),
        seconds.toFixed(1).padStart(9),
        (records / seconds).toFixed(0).padStart(10),
        peakMegabytes.toFixed(0).padStart(9),
      ];
      console.log(cells.join(' '));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const growth = peaks[1]! / peaks[0]!;
  console.log(`peak memory grows by a factor of ${growth.toFixed(2)}, limit ${MAX_GROWTH}`);
  if (growth > MAX_GROWTH) process.exitCode = 1;
}
