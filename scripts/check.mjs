// npm run check: types, lint, spelling and dependencies, all at the same time. Prints what each of them says, and exits with 1
// if any of them fails.
import { spawn } from 'node:child_process';

const checks = [
  'tsc && tsc -p src/view/page',
  'biome check --error-on-warnings',
  'cspell --no-progress --no-summary',
  'tsx scripts/check-dependencies.ts',
];

/** Runs a command of the shell, prints its output when it ends, and returns whether it succeeded. */
function run(check) {
  return new Promise((resolve) => {
    const child = spawn(check, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(output));
      if (code !== 0) console.error(`failed: ${check}`);
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(checks.map(run));
process.exitCode = passed.includes(false) ? 1 : 0;
