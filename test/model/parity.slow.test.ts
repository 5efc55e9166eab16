import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareForward } from '../../bench/parity/compare-forward.js';
import { FormulaWeights } from '../../bench/parity/formula-weights.js';
import { readInputs } from '../../bench/parity/parity-inputs.js';
import { openSafetensors } from '../../src/files/open-safetensors.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { officialCompat } from '../../src/model/model-config.js';
import { rTaggerR50 } from '../../src/model/presets.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { loadWeights } from '../../src/model/weights/load-weights.js';

const folder = '../shared/parity';

describe('parity with the official model', () => {
  // `npm run parity` also checks the other two models, losses and gradients.
  it('the R-Tagger has the official stages and outputs, for a single image and a padded batch', async function () {
    if (!existsSync(folder)) {
      console.log(`      skipped: ${folder} does not exist`);
      this.skip();
    }
    await useBackend('wasm', { threads: 1 });
    const inputs = await readInputs(folder);
    const keys = JSON.parse(readFileSync(join(folder, 'tagger.keys.json'), 'utf8')) as {
      name: string;
      shape: number[];
    }[];
    const model = new RlipV2({ ...rTaggerR50, compat: officialCompat });
    await loadWeights(model.parameters, new FormulaWeights(inputs.salt, keys));
    const expected = await openSafetensors(join(folder, 'tagger.forward.safetensors'));
    const seen: string[] = [];
    await compareForward(model, inputs, expected, ({ name, largest }) => {
      seen.push(name);
      assert.ok(largest <= 1e-4, `${name} differs by ${largest}`);
    });
    assert.deepEqual(seen.sort(), [...expected.entries.keys()].sort());
    await expected.close();
    model.dispose();
  });
});
