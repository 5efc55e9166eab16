// npm run parity -- DIR [--backend NAME] [--threads N] [--model NAME] [--groups N] [--borders N] [--nudges N] [--weights FILE] [--recorded] [--forward-only|--losses-only]: compares stages, outputs, losses and gradients with those of the official model.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { openSafetensors } from '../../src/files/open-safetensors.js';
import type { BackendName } from '../../src/model/backends/backend-names.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { type ModelConfig, officialCompat } from '../../src/model/model-config.js';
import { parsedaR50, parsedR50, rTaggerR50 } from '../../src/model/presets.js';
import { eagerPasses } from '../../src/model/recording/model-passes.js';
import { RecordedPasses } from '../../src/model/recording/tensorflow/recorded-passes.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { loadWeights } from '../../src/model/weights/load-weights.js';
import { openWeights } from '../../src/model/weights/open-weights.js';
import { BorderPoints } from './border-points.js';
import { compareForward, type Difference } from './compare-forward.js';
import { compareGradients, type GradientCheck } from './compare-gradients.js';
import { FormulaWeights } from './formula-weights.js';
import { type ParityInputs, readInputs } from './parity-inputs.js';

const models: Readonly<Record<string, ModelConfig>> = { tagger: rTaggerR50, parsed: parsedR50, parseda: parsedaR50 };

/** Tolerance of stages and outputs, as an absolute difference. */
const FORWARD_TOLERANCE = 1e-4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string' },
    threads: { type: 'string' },
    model: { type: 'string' },
    groups: { type: 'string' },
    borders: { type: 'string' },
    nudges: { type: 'string' },
    weights: { type: 'string' },
    recorded: { type: 'boolean' },
    'forward-only': { type: 'boolean' },
    'losses-only': { type: 'boolean' },
  },
});
const folder = positionals[0];
if (!folder || (values.model !== undefined && !models[values.model])) {
  console.error(
    `usage: npm run parity -- DIR [--backend NAME] [--threads N] [--model ${Object.keys(models).join('|')}] [--groups N] [--borders N] [--nudges N] [--weights FILE] [--recorded] [--forward-only|--losses-only]`,
  );
  process.exit(2);
}
for (const name of ['groups', 'borders', 'nudges'] as const)
  if (values[name] !== undefined && !/^\d+$/.test(values[name])) {
    console.error(`--${name} ${values[name]}, expected a whole number`);
    process.exit(2);
  }
if (values.weights !== undefined && values.model === undefined) {
  console.error('--weights FILE without --model, expected the model of the weights');
  process.exit(2);
}
const backend = await useBackend((values.backend ?? 'auto') as BackendName | 'auto', {
  ...(values.threads && { threads: Number(values.threads) }),
});
console.log(`backend ${backend.name}, ${backend.adapter ?? `${backend.threads} threads`}`);
if (values.recorded && (backend.name !== 'tensorflow' || Number(values.borders ?? 0) > 0)) {
  console.error('--recorded is for backend tensorflow, without --borders');
  process.exit(2);
}
// Border points are listed within a pass, where the tensors of a GPU cannot be read.
const readable = backend.name !== 'webgpu' && !values.recorded;
if (backend.name === 'webgpu' && Number(values.borders ?? 0) > 0) {
  console.error('--borders with backend webgpu, expected wasm or tensorflow, whose tensors can be read within a pass');
  process.exit(2);
}
const borders =
  Number(values.borders ?? 0) > 0 ? { watch: new BorderPoints(), tries: Number(values.borders) } : undefined;
const inputs = await readInputs(folder);
let failed = false;
for (const [name, config] of Object.entries(models)) {
  if (values.model !== undefined && values.model !== name) continue;
  if (!existsSync(join(folder, `${name}.keys.json`))) continue;
  failed = !(await check(folder, name, config, inputs)) || failed;
}
process.exit(failed ? 1 : 0);

/** Compares one model and prints a table. @returns true if all differences are within their tolerances */
async function check(at: string, name: string, config: ModelConfig, inputs: ParityInputs): Promise<boolean> {
  const started = performance.now();
  const keys = JSON.parse(await readFile(join(at, `${name}.keys.json`), 'utf8')) as { name: string; shape: number[] }[];
  const model = new RlipV2({ ...config, compat: officialCompat });
  const source = values.weights ? await openWeights(values.weights) : new FormulaWeights(inputs.salt, keys);
  await loadWeights(model.parameters, source);
  await source.close();
  // Each pass runs once.
  const runner = values.recorded ? new RecordedPasses({ recordedRun: 1 }) : eagerPasses;
  const table = new Table({ head: [name, 'largest difference', 'tolerance', ''], style: { head: [], border: [] } });
  let fine = true;
  const changes = new Map<string, number>();
  const report = ({ name: array, largest }: Difference, tolerance: number) => {
    const within = largest <= tolerance;
    fine = fine && within;
    table.push([array, largest.toExponential(2), tolerance, within ? 'ok' : 'FAILED']);
  };
  const forward = join(at, `${name}.forward.safetensors`);
  if (existsSync(forward) && !values['losses-only']) {
    const expected = await openSafetensors(forward);
    await compareForward(model, inputs, expected, (difference) => report(difference, FORWARD_TOLERANCE), runner);
    await expected.close();
  }
  const loss = join(at, `${name}.loss.safetensors`);
  if (existsSync(loss) && !values['forward-only']) {
    const expected = await openSafetensors(loss);
    const { gradient_l2_norms: norms } = JSON.parse(await readFile(join(at, `${name}.loss.json`), 'utf8')) as {
      gradient_l2_norms: Record<string, number>;
    };
    const worst = { name: 'none', difference: -1, tolerance: 0 };
    let count = 0;
    const options = {
      passes: Number(values.groups ?? 1),
      nudges: Number(values.nudges ?? 0),
      readable,
      runner,
      borders,
    };
    await compareGradients(model, inputs, expected, norms, options, (result: GradientCheck) => {
      const { retry } = result;
      if (retry) changes.set(retry.changed, (changes.get(retry.changed) ?? 0) + 1);
      // There are hundreds of norms: the table has one row with the worst of those within their tolerance.
      if (retry || !result.name.startsWith('norm of ') || !(result.difference <= result.tolerance)) {
        const asItIs = retry ? ` (originally ${retry.asItIs.toExponential(2)})` : '';
        return report({ name: result.name + asItIs, largest: result.difference }, result.tolerance);
      }
      count++;
      if (result.difference > worst.difference) Object.assign(worst, result);
    });
    report({ name: `${count} norms of gradients, worst: ${worst.name}`, largest: worst.difference }, worst.tolerance);
    await expected.close();
  }
  runner.dispose();
  model.dispose();
  console.log(table.toString());
  for (const [changed, count] of changes)
    console.log(
      changed === 'nudged'
        ? `${count} gradients agree after pixels changed by one rounding: a sampling point lies on the border of two cells`
        : `${count} gradients agree after a sampling point moved to the other side of its border: ${changed}`,
    );
  const recorded = values.recorded ? `, ${runner.warmUp.recordings} recordings` : '';
  console.log(`${name}: ${fine ? 'ok' : 'FAILED'}, ${((performance.now() - started) / 1000).toFixed(1)} s${recorded}`);
  return fine;
}
