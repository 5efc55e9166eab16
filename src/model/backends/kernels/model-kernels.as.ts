// AssemblyScript, not TypeScript: `npm run build:kernels` compiles this to model-kernels.wasm and model-kernels-shared.wasm.
//
// Kernels that the wasm backend of TensorFlow.js lacks, or that are faster than its own. They work on the backend's memory;
// arguments are addresses and sizes. The last two arguments of each are the index of the calling thread and the number of
// threads. No two threads write to the same place, and no sum depends on the number of threads.
export { adamW } from './adam-w.as';
export { columnsToImage, imageToColumns } from './columns.as';
export { filterGradient, gemmScratch, matmul } from './gemm.as';
export { deformableAttention, deformableAttentionGradient } from './deformable-attention.as';
export { dropout } from './dropout.as';
export {
  addSquares,
  fillRows,
  gatherRows,
  gelu,
  geluGradient,
  layerNorm,
  layerNormGradient,
  layerNormParameterGradient,
  relu,
  reluGradient,
  segmentSum,
  softmax,
  softmaxGradient,
} from './rows.as';
export { sums } from './sums.as';
