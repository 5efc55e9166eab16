import assert from 'node:assert/strict';
import { runScenario } from '../support/fault-scenarios.js';
import { checkFaults, faultShim } from '../support/faults.js';

describe('a fault at an operation on a file of a run', () => {
  it('loses nothing, and a resume completes the run with the same bytes', async function () {
    // Without Linux and the C compiler `cc` nothing can be loaded into the process.
    if (faultShim() === null) this.skip();
    assert.equal(await checkFaults(await runScenario(), { random: 1 }, 3, ['power-cut', 'ENOSPC', 'clock-ahead']), 3);
  });
});
