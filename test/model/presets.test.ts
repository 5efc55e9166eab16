import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { ModelConfig } from '../../src/model/model-config.js';
import { parsedaR50, parsedaSwinL, parsedaSwinT, parsedR50, rTaggerR50 } from '../../src/model/presets.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';

const shared = '../shared/parity';
const numbersOf = ({ parameters }: RlipV2) => [...parameters.values()].reduce((sum, { size }) => sum + size, 0);

describe('state dicts', () => {
  for (const [name, config, numbers] of [
    ['tagger', rTaggerR50, 206_642_164],
    ['parsed', parsedR50, 206_816_500],
    ['parseda', parsedaR50, 213_700_624],
  ] as [string, ModelConfig, number][]) {
    it(`${config.name} has the number of parameters of the official model`, () => {
      const model = new RlipV2(config);
      const buffers = [...model.parameters.values()].filter(({ name: key }) =>
        /\.(?:bn\d|downsample\.1)\.(?:weight|bias|running_mean|running_var)$/.test(key),
      );
      assert.equal(numbersOf(model) - buffers.reduce((sum, { size }) => sum + size, 0), numbers);
    });

    it(`${config.name} has the official names and shapes`, function () {
      const file = `${shared}/${name}.keys.json`;
      if (!existsSync(file)) {
        console.log(`      skipped: ${file} does not exist`);
        this.skip();
      }
      const official = JSON.parse(readFileSync(file, 'utf8')) as { name: string; shape: number[] }[];
      const shapes = (list: Iterable<{ readonly name: string; readonly shape: readonly number[] }>) =>
        Object.fromEntries([...list].map((entry) => [entry.name, entry.shape.join()]).sort());
      assert.deepEqual(shapes(new RlipV2(config).parameters.values()), shapes(official));
    });
  }

  it('the backbones of Swin models have the published numbers of parameters', () => {
    const backbone = (config: ModelConfig) =>
      [...new RlipV2(config).parameters.values()]
        .filter(({ name }) => name.startsWith('backbone.0.body.'))
        .reduce((sum, { size }) => sum + size, 0);
    // Published without the output norms: 27.5 and 195.0 million; here with the norms of stages 1 to 3.
    assert.equal(Math.round(backbone(parsedaSwinT) / 1e5), 275);
    assert.equal(Math.round(backbone(parsedaSwinL) / 1e6), 195);
  });
});
