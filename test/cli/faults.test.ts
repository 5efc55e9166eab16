import assert from 'node:assert/strict';
import { finishedRun, replacementScenario, runScenario, sharedScenarios } from '../support/fault-scenarios.js';
import { checkFaults, checkPause, faultShim } from '../support/faults.js';

describe('a fault at an operation on a file of a run', () => {
  it('loses nothing, and a resume completes the run with the same bytes', async function () {
    // Without Linux and the C compiler `cc` nothing can be loaded into the process.
    if (faultShim() === null) this.skip();
    assert.equal(await checkFaults(await runScenario(), { random: 1 }, 3, ['power-cut', 'ENOSPC', 'clock-ahead']), 3);
  });

  it('leaves an export that is replaced as it was, or the new one', async function () {
    if (faultShim() === null) this.skip();
    const scenario = await replacementScenario(await finishedRun());
    assert.equal(await checkFaults(scenario, { random: 1 }, 3, ['kill', 'power-cut', 'ENOSPC']), 3);
  });

  it('lets another process finish a run meanwhile', async function () {
    if (faultShim() === null) this.skip();
    const finish = (await sharedScenarios()).find(({ name }) => name === 'finish')!;
    // Before the export is renamed, and before the manifest is.
    for (const at of [4, 8]) await checkPause(finish, at, (folder) => finish.recover(folder, ''));
  });
});
