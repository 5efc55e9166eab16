// npm run bench:model [-- --threads N] [--backend NAME]... [--only kernels|tagger] [--profile]: what the model costs on each
// backend that is here, side by side, beside the plain versions of its kernels and the official PyTorch. Each backend has a
// process of its own. It takes some minutes.
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
    // What was measured before it failed is told of.
    child.once('exit', (code) => {
      if (code !== 0) process.exitCode = 1;
      resolve(measured);
    });
  });
}
