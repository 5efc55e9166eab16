import assert from 'node:assert/strict';
import { useBackend } from '../../src/model/backends/use-backend.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { rlipSettings } from '../../src/training/settings/rlip-settings.js';
import { checkMemoryFits, stepMemory, WASM_BYTES } from '../../src/training/step-memory.js';

/** RLIPv2's headline model as it is trained officially, except for its batch of eight images a process. */
const headline: TrainingConfig = {
  task: 'rlip',
  model: 'parsedaR50',
  data: [{ sceneGraphs: 'scene-graphs.jsonl', images: 'images' }],
  epochs: 20,
  batchSize: 1,
  augmentation: { flip: 0, colorJitter: 0, shorterSides: [400], maxSize: 667 },
};

describe('stepMemory of the headline model', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  it('is too much for wasm, which is refused, and suggests settings that fit', async () => {
    const settings = rlipSettings(headline);
    const memory = await stepMemory(settings);
    // The official checkpoint has these parameters, and the normalization buffers of 26,560 channels.
    assert.equal(memory.weights / 4, 213_700_624 + 4 * 26_560);
    assert.ok(memory.peak > WASM_BYTES);
    await assert.rejects(checkMemoryFits(settings, memory), {
      code: 'out-of-memory',
      message:
        /^training: a step of parsedaR50 takes [\d.]+ GiB \(weights 0\.8 GiB, .*\), but backend wasm has 4 GiB; optimizer\.textLearningRate 0 \(frozen text encoder\), images of \d+ × \d+ would fit \([\d.]+ GiB\); backend tensorflow can use all memory of the machine$/,
    });
  });
});
