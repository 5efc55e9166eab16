// AssemblyScript, not TypeScript: `npm run build:kernels` compiles it to parser-kernels.wasm.

export { gemm, quantizedLinear } from './matrices.as';
export { readCaption } from './read-caption.as';
export { add, addRelu, addSoftEmbeddings, argmaxRows, dot, pairInputs, relu, scan, sumWindows } from './vector-rows.as';
export { viterbi } from './viterbi.as';

/** Returns the first address of free memory; the module's constants are below it. */
export function freeFrom(): usize {
  return __heap_base;
}
