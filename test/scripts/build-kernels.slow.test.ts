import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels, kernelModules } from '../../scripts/kernel-modules.js';
import { temporaryFolder } from '../support/folders.js';

describe('committed WebAssembly modules', function () {
  this.timeout(300_000);

  for (const [name, module] of Object.entries(kernelModules))
    it(`compile from their sources to the same bytes: ${module.output}`, () => {
      const built = join(temporaryFolder(), `${name}.wasm`);
      compileKernels(module, built);
      assert.ok(readFileSync(built).equals(readFileSync(module.output)));
    });
});
