import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { kernelExports, kernelParameters } from '../../scripts/kernel-exports.js';
import { hashKernels, type KernelHashes, kernelHashesFile, kernelModules } from '../../scripts/kernel-modules.js';

const recorded = JSON.parse(readFileSync(kernelHashesFile, 'utf8')) as Record<string, KernelHashes>;

describe('npm run build:kernels', () => {
  it('has recorded hashes of every module and of no other', () => {
    assert.deepEqual(Object.keys(recorded), Object.keys(kernelModules));
  });

  for (const [name, module] of Object.entries(kernelModules))
    it(`has run since the sources of ${module.output} changed`, () => {
      const { sources, output } = hashKernels(module);
      const advice = `run npm run build:kernels -- ${name}`;
      assert.equal(sources, recorded[name]!.sources, `sources of ${module.output} changed: ${advice}`);
      assert.equal(output, recorded[name]!.output, `${module.output} is not what the last build wrote: ${advice}`);
    });

  for (const [name, module] of Object.entries(kernelModules)) {
    for (const [file, generate] of [
      [module.exports, kernelExports],
      [module.parameters, kernelParameters],
    ] as const)
      if (file !== undefined)
        it(`has written ${file}`, () => {
          const advice = `${file} differs from the kernels: run npm run build:kernels -- ${name}`;
          assert.equal(readFileSync(file, 'utf8'), generate(module, file), advice);
        });
  }

  it('rejects a name that no module has', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/build-kernels.ts', 'parsers'], {
      encoding: 'utf8',
    });
    assert.equal(status, 2);
    assert.equal(
      stderr,
      "build:kernels: unknown module 'parsers', expected parser, parser-training, model, model-shared, image\n",
    );
  });
});
