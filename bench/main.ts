// npm run bench measures the speed and memory that relflow claims; `npm run bench -- pipeline` runs a single benchmark.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BENCHES = ['json-reading', 'candidates', 'parser', 'pipeline', 'caption-store', 'queue'];
const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !BENCHES.includes(name));
if (unknown !== undefined) {
  console.error(`bench: unknown benchmark '${unknown}', expected one of ${BENCHES.join(', ')}`);
  process.exit(2);
}
for (const name of chosen.length > 0 ? chosen : BENCHES) {
  console.log(`\n# ${name}`);
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
