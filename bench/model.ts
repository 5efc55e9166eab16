// npm run bench:model [-- --threads N] [--backend NAME]... [--only kernels|tagger] [--profile]: measures the time and memory
// of the model on each installed backend, and compares kernels with their reference implementations and the model with the
// official PyTorch code. Each backend runs in a process of its own. Takes several minutes.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nativePackage } from '../src/model/backends/start-native-backend.js';
import { type BackendMeasurements, formatReport } from './model/format-report.js';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true },
    threads: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'boolean' },
  },
});
const backends = values.backend ?? ['wasm', ...(nativePackage() === undefined ? [] : ['tensorflow'])];
const all: BackendMeasurements[] = [];
for (const backend of backends) {
  const measured = await measure(backend);
  if (measured) all.push(measured);
}
if (values.profile)
  for (const { backend, measurements } of all)
    for (const { name, profile = [] } of measurements)
      if (profile.length > 0) console.log([`\n${backend}: ${name}`, ...profile].join('\n'));
if (all.length > 0) console.log(`\n${formatReport(all)}`);

function measure(backend: string): Promise<BackendMeasurements | undefined> {
  const file = fileURLToPath(new URL('./model/measure.ts', import.meta.url));
  const args = ['--backend', backend];
  if (values.threads !== undefined) args.push('--threads', values.threads);
  if (values.only !== undefined) args.push('--only', values.only);
  if (values.profile) args.push('--profile');
  const child = fork(file, args, { execArgv: ['--import', 'tsx'] });
  return new Promise((resolve) => {
    let measured: BackendMeasurements | undefined;
    child.on('message', (message) => {
      measured = message as BackendMeasurements;
    });
    // Measurements made before a failure are reported.
    child.once('exit', (code) => {
      if (code !== 0) process.exitCode = 1;
      resolve(measured);
    });
  });
}
