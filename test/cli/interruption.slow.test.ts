import { checkKills, type ReferenceRun, referenceRun } from '../support/interrupted-run.js';

const KILLS = 6;

describe('a run of 2000 images that is killed and resumed', () => {
  let reference: ReferenceRun;

  before(async () => {
    reference = await referenceRun(2000);
  });

  it(`by kill -9 at ${KILLS} random moments, each time ends with the same bytes`, () => checkKills(reference, KILLS));
});
