// npm run bench: what relflow claims of its speed and memory, measured in one run. `npm run bench -- pipeline` runs one.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BENCHES = ['json-reading', 'candidates', 'parser', 'pipeline', 'caption-store', 'queue'];
const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !BENCHES.includes(name));
if (unknown !== undefined) {
  console.error(`bench: unknown bench '${unknown}', expected one of ${BENCHES.join(', ')}`);
  process.exit(2);
}
for (const name of chosen.length > 0 ? chosen : BENCHES) {
  console.log(`\n# ${name}`);
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
