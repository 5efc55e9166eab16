import assert from 'node:assert/strict';
import { inPairs } from '../support/command.js';
import { faultScenarios, finishedRun, replacementScenario, sharedScenarios } from '../support/fault-scenarios.js';
import { checkFaults, checkPause, FAULTS, faultShim } from '../support/faults.js';

// Every operation, or every 5th (RELFLOW_FAULTS=1/5): RELFLOW_FAULTS=all npx mocha --timeout 0 test/cli/faults.slow.test.ts
// Only scenarios with a word in their name: RELFLOW_SCENARIOS=part
// Others than those of the seed 1: RELFLOW_SEED=2
const SHARE = process.env['RELFLOW_FAULTS'];
const CHOICE = SHARE ? { every: SHARE === 'all' ? 1 : Number(SHARE.replace('1/', '')) } : { random: 1 };
const NAMES = process.env['RELFLOW_SCENARIOS'] ?? '';
const SEED = Number(process.env['RELFLOW_SEED'] ?? 1);

describe('a fault at any operation on a file', () => {
  it('loses nothing, and an undisturbed process completes the work with the same bytes', async function () {
    // Without Linux and the C compiler `cc` nothing can be loaded into the process.
    if (faultShim() === null) this.skip();
    let done = 0;
    const scenarios = (await faultScenarios()).filter(({ name }) => name.includes(NAMES));
    await inPairs([...scenarios.entries()], async ([index, scenario]) => {
      // At random, each kind of fault meets a third of the scenarios.
      const kinds = SHARE ? FAULTS : FAULTS.filter((_, kind) => (kind + index) % 3 === 0);
      const faults = await checkFaults(scenario, CHOICE, SEED, kinds);
      if (SHARE) console.log(`${scenario.name}: ${faults} faults`);
      done += faults;
    });
    assert.ok(done > 0);
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
