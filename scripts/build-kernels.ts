/**
 * Compiles the WebAssembly kernels, all or those named, writes the TypeScript files that describe them, and records the hashes
 * that the tests compare:
 *
 *     npm run build:kernels [-- NAME…]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { kernelExports, kernelParameters } from './kernel-exports.js';
import { compileKernels, hashKernels, type KernelHashes, kernelHashesFile, kernelModules } from './kernel-modules.js';

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(kernelModules);
const unknown = names.filter((name) => !Object.hasOwn(kernelModules, name));
if (unknown.length > 0) {
  const known = Object.keys(kernelModules).join(', ');
  console.error(`build:kernels: unknown module '${unknown[0]}', expected ${known}`);
  process.exit(2);
}
const hashes = JSON.parse(readFileSync(kernelHashesFile, 'utf8')) as Record<string, KernelHashes>;
for (const name of names) {
  const module = kernelModules[name]!;
  compileKernels(module, module.output);
  if (module.exports !== undefined) writeFileSync(module.exports, kernelExports(module, module.exports));
  if (module.parameters !== undefined) writeFileSync(module.parameters, kernelParameters(module, module.parameters));
  hashes[name] = hashKernels(module);
  console.log(`${name}: ${module.output}`);
}
writeFileSync(kernelHashesFile, `${JSON.stringify(hashes, null, 2)}\n`);
