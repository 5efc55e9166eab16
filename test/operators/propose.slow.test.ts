import assert from 'node:assert/strict';
import { paintedScenes } from '../support/painted-scenes.js';
import { proposeRelations } from '../support/proposed-scenes.js';

describe('propose on 500 drawn scenes', () => {
  it('rejects 0.95 of the false relations of place, and at most 0.03 of the true ones', async () => {
    const painted = await paintedScenes(11, 500);
    const right = await proposeRelations(painted, {});
    await right.server.close();
    const wrong = await proposeRelations(painted, { errors: { falsePlace: 1 } });
    await wrong.server.close();
    console.log(`      true: ${right.rejected} of ${right.model.rightPlaces} rejected ${JSON.stringify(right.gates)}`);
    console.log(`      false: ${wrong.rejected} of ${wrong.model.wrongPlaces} rejected ${JSON.stringify(wrong.gates)}`);
    assert.ok(right.rejected / right.model.rightPlaces <= 0.03);
    assert.ok(wrong.rejected / wrong.model.wrongPlaces >= 0.95);
  });
});
