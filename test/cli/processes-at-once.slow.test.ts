import assert from 'node:assert/strict';
import { sharedScenarios } from '../support/fault-scenarios.js';
import { checkPause, faultShim, operationsOf } from '../support/faults.js';

// A pause before every 6th operation on a file, or before each: RELFLOW_FAULTS=all npx mocha --timeout 0 test/cli/processes-at-once.slow.test.ts
const EVERY = process.env['RELFLOW_FAULTS'] === 'all' ? 1 : 6;

describe('two processes that finish one run, or do the same part of it', () => {
  it('both end well, whenever one of them has to wait for the other', async function () {
    if (faultShim() === null) this.skip();
    const scenarios = await sharedScenarios();
    const finish = scenarios.find(({ name }) => name === 'finish')!;
    let tried = 0;
    for (const scenario of scenarios.slice(1))
      for (const [k] of (await operationsOf(scenario)).entries()) {
        if (k % EVERY !== 0) continue;
        await checkPause(scenario, k + 1, (folder) => finish.recover(folder, ''));
        tried++;
      }
    assert.ok(tried > 8, `${tried}`);
  });
});
