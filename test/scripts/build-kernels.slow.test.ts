import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { compileKernels, kernelModules } from '../../scripts/kernel-modules.js';
import { parserKernelStructs } from '../../src/parser/neural/kernels/parser-kernel-exports.js';
import { temporaryFolder } from '../support/folders.js';

describe('committed WebAssembly modules', () => {
  for (const [name, module] of Object.entries(kernelModules))
    it(`compile from their sources to the same bytes: ${module.output}`, () => {
      const built = join(temporaryFolder(), `${name}.wasm`);
      compileKernels(module, built);
      assert.ok(readFileSync(built).equals(readFileSync(module.output)));
    });
});

describe('struct layouts that npm run build:kernels writes', () => {
  it('are the compiler’s', async () => {
    const layouts = Object.entries(parserKernelStructs);
    const sizes = layouts.map(([name, { bytes }]) => [`offsetof<${name}>()`, bytes] as const);
    const offsets = layouts.flatMap(([name, { fields }]) =>
      Object.entries(fields).map(([field, { offset }]) => [`offsetof<${name}>("${field}")`, offset] as const),
    );
    const expected = [...sizes, ...offsets];
    const source = [
      `import { ${layouts.map(([name]) => name).join(', ')} } from './src/parser/neural/kernels/structs.as';`,
      ...expected.map(([expression], index) => `export function at${index}(): usize { return ${expression}; }`),
    ].join('\n');
    let compiled: Uint8Array | undefined;
    const { error, stderr } = await asc.main(['layout.as.ts', '--runtime', 'stub', '--outFile', 'layout.wasm'], {
      readFile: (name) => (name === 'layout.as.ts' ? source : existsSync(name) ? readFileSync(name, 'utf8') : null),
      writeFile: (_, contents) => {
        compiled = contents as Uint8Array;
      },
    });
    assert.equal(error, null, stderr.toString());
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(compiled!)), {});
    const actual = expected.map(([expression], index) => [expression, (exports[`at${index}`] as () => number)()]);
    assert.deepEqual(actual, expected);
  });
});
