import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from '../support/folders.js';

// All 2,000 rounds: RELFLOW_LOCK_ROUNDS=2000 npx mocha test/files/lock-folder.slow.test.ts
const ROUNDS = Number(process.env['RELFLOW_LOCK_ROUNDS'] ?? 45);
const PROCESSES = 3;

describe('lockFolder in several processes', () => {
  it(`has one owner in each of ${ROUNDS} rounds of ${PROCESSES} processes, with fresh, stale and killed locks`, async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'lock');
    const workers = await Promise.all(Array.from({ length: PROCESSES }, startWorker));
    const counts: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 3 === 1) writeFileSync(file, '');
      if (round % 3 === 2) writeFileSync(file, String(process.ppid));
      const owners = await Promise.all(
        workers.map(async (worker, i) => ((await ask(worker, ['lock', file])) === 'owner' ? i : -1)),
      ).then((found) => found.filter((i) => i >= 0));
      counts.push(owners.length);
      for (const i of owners) {
        if (round % 10 === 9) {
          workers[i]!.kill('SIGKILL');
          await once(workers[i]!, 'exit');
          workers[i] = await startWorker();
        } else await ask(workers[i]!, ['unlock']);
      }
    }
    for (const worker of workers) worker.kill();
    assert.deepEqual(
      counts.filter((count) => count !== 1),
      [],
    );
  });

  it('never has two owners while processes lock and unlock without waiting for each other', async () => {
    const folder = temporaryFolder();
    const workers = await Promise.all(Array.from({ length: PROCESSES }, startWorker));
    const results = await Promise.all(
      workers.map((worker) => ask(worker, ['hammer', join(folder, 'lock'), join(folder, 'owner'), ROUNDS * 5])),
    );
    for (const worker of workers) worker.kill();
    assert.deepEqual(results, [0, 0, 0]);
  });
});

/** Starts a process that locks and unlocks on request. */
async function startWorker(): Promise<ChildProcess> {
  const script = join(temporaryFolder(), 'worker.mts');
  writeFileSync(
    script,
    `import { closeSync, openSync, rmSync } from 'node:fs';
     import { lockFolder } from ${JSON.stringify(join(packageRoot, 'src/files/lock-folder.ts'))};
     let unlock;
     const actions = {
       lock: async (file) => {
         try { unlock = await lockFolder('folder', file); return 'owner'; } catch (error) { return error.message; }
       },
       unlock: () => unlock(),
       hammer: async (file, owner, times) => {
         let others = 0;
         for (let done = 0; done < times; ) {
           const release = await lockFolder('folder', file).catch((error) => {
             if (!/is writing to it/.test(error.message)) throw error;
           });
           if (!release) continue;
           try { closeSync(openSync(owner, 'wx')); } catch { others++; }
           await new Promise(setImmediate);
           rmSync(owner, { force: true });
           await release();
           done++;
         }
         return others;
       },
     };
     process.on('message', async ([action, ...rest]) => process.send({ result: (await actions[action](...rest)) ?? null }));
     process.send('ready');`,
  );
  const worker = fork(script, { execArgv: ['--import', 'tsx'], cwd: packageRoot });
  await once(worker, 'message');
  return worker;
}

async function ask(worker: ChildProcess, request: unknown[]): Promise<unknown> {
  worker.send(request as never);
  const [{ result }] = (await once(worker, 'message')) as [{ result: unknown }];
  return result;
}
