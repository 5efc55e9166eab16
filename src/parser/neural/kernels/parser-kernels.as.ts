// AssemblyScript, not TypeScript: `npm run build:kernels` makes parser-kernels.wasm of it.

export { gemm, linear16 } from './matrices.as';
export { read } from './read-caption.as';
export { add, addExpected, addRelu, dot, likeliest, pairInputs, relu, scan, windows } from './vector-rows.as';
export { likeliestTags } from './viterbi.as';

/** Where memory is free from: constants lie below. */
export function freeFrom(): usize {
  return __heap_base;
}
