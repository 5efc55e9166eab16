// npx tsx bench/evaluators.ts [hico images] [graph images] [images for Python] compares the evaluators of HICO-DET and scene graphs
// with a port of the official rules to Python and numpy, on synthetic sets of full size, both from the file of predictions to the
// numbers. Python takes the first images alone, so that the bench ends soon; times are compared for each image. PYTHON names an
// interpreter with numpy. The official code itself is not part of relflow.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchmarkReport, evaluateHico, evaluateSceneGraphs, openPredictions } from '../src/evaluation/index.js';
import { writeGraphSet, writeHicoSet } from './evaluators/synthetic-sets.js';

const [hicoImages = 9658, graphImages = 26_446, pythonImages = 500] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'relflow-evaluators-'));
const script = fileURLToPath(new URL('evaluators/evaluate.py', import.meta.url));

try {
  const hico = await writeHicoSet(folder, hicoImages);
  await compare('hico', hico.predictions, hico.pythonTruth, hico.truth.length, async (most) => {
    const images = most === undefined ? hico.truth : hico.truth.slice(0, most);
    const predictions = await firstImages(hico.predictions, most);
    return (await evaluateHico(predictions, { images, file: 'synthetic' })).report;
  });
  rmSync(hico.predictions);
  const graphs = await writeGraphSet(folder, graphImages);
  await compare('sgg', graphs.predictions, graphs.pythonTruth, graphs.truth.images.length, async (most) => {
    const truth = most === undefined ? graphs.truth : { ...graphs.truth, images: graphs.truth.images.slice(0, most) };
    const predictions = await firstImages(graphs.predictions, most);
    return (await evaluateSceneGraphs(predictions, { truth, mode: 'sgdet' })).report;
  });
} finally {
  rmSync(folder, { recursive: true });
}

/** Returns the predictions of the first images of a file. */
async function firstImages(file: string, most = Number.POSITIVE_INFINITY) {
  const predictions = await openPredictions(file);
  return {
    ...predictions,
    async *images() {
      let done = 0;
      for await (const image of predictions.images()) {
        if (done++ === most) return;
        yield image;
      }
    },
  };
}

async function compare(
  benchmark: 'hico' | 'sgg',
  predictions: string,
  truth: string,
  images: number,
  evaluate: (most?: number) => Promise<BenchmarkReport>,
): Promise<void> {
  const started = performance.now();
  await evaluate();
  const seconds = (performance.now() - started) / 1000;
  const memory = process.resourceUsage().maxRSS / 1024;
  const bytes = statSync(predictions).size;
  console.log(
    `${benchmark}: ${images} images, ${(bytes / 2 ** 20).toFixed(0)} MiB: relflow ${seconds.toFixed(1)} s, ${((1000 * seconds) / images).toFixed(2)} ms an image, at most ${memory.toFixed(0)} MiB of memory in this process so far`,
  );
  const most = Math.min(pythonImages, images);
  const ran = spawnSync(process.env['PYTHON'] ?? 'python3', [script, benchmark, predictions, truth, `${most}`], {
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  if (ran.status !== 0) {
    console.log(`${benchmark}: Python was not measured: ${ran.error?.message ?? ran.stderr.trim().split('\n').at(-1)}`);
    return;
  }
  const python = JSON.parse(ran.stdout) as { seconds: number; metrics: Record<string, number> };
  const { metrics } = await evaluate(most);
  const names = Object.keys(python.metrics);
  const difference = Math.max(...names.map((name) => Math.abs(python.metrics[name]! - metrics[name]!)));
  const ratio = python.seconds / most / (seconds / images);
  console.log(
    `${benchmark}: Python and numpy, first ${most} images: ${((1000 * python.seconds) / most).toFixed(2)} ms an image, ${ratio.toFixed(1)} times as long; largest difference of ${names.length} numbers ${difference.toExponential(1)}`,
  );
}
