import { checkKills, type ReferenceRun, referenceRun } from '../support/interrupted-run.js';

const KILLS = 6;

describe('a run of 1000 images that is killed and resumed', () => {
  let reference: ReferenceRun;

  before(async () => {
    reference = await referenceRun(1000);
  });

  it(`has the same bytes after kill -9 at ${KILLS} random moments`, () => checkKills(reference, KILLS));
});
