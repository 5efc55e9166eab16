// npm run golden -- DIR compares relflow's numbers for the benchmarks with those of the official evaluators. DIR has a folder for
// each benchmark with annotations, predictions and expected numbers in the form of docs/benchmarks.md; `hand.json` may be missing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Comparison, Differences } from './golden/compare.js';
import { compareHico } from './golden/hico.js';
import { compareOpenImages } from './golden/open-images.js';
import { compareSgg } from './golden/sgg.js';
import { compareVcoco } from './golden/vcoco.js';

const BENCHMARKS = [
  { name: 'hico', tolerance: 1e-6, compare: compareHico },
  // The official code computes in single precision.
  { name: 'vcoco', tolerance: 2e-6, compare: compareVcoco },
  { name: 'open-images', tolerance: 1e-6, compare: compareOpenImages },
  { name: 'sgg', tolerance: 1e-6, compare: compareSgg },
] as const;

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  console.error(`golden: ${folder ?? 'no folder'} does not exist, expected npm run golden -- DIR`);
  process.exitCode = 2;
} else {
  const present = BENCHMARKS.filter(({ name }) => existsSync(join(folder, name)));
  if (present.length === 0) {
    console.error(`golden: ${folder} has none of the folders ${BENCHMARKS.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
  }
  for (const { name, tolerance, compare } of present) {
    const differences = new Differences();
    await compare(join(folder, name), differences);
    const result = differences.result();
    if (!(result.largest <= tolerance)) process.exitCode = 1;
    console.log(line(name, tolerance, result));
  }
}

function line(name: string, tolerance: number, { numbers, largest, where }: Comparison): string {
  const verdict = largest <= tolerance ? 'ok' : 'FAILED';
  const place = where === '' ? '' : ` at ${where}`;
  return `${name.padEnd(12)} ${verdict}: ${numbers} numbers, largest difference ${largest.toExponential(1)}${place}, tolerance ${tolerance}`;
}
