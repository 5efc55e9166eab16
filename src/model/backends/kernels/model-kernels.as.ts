// AssemblyScript, not TypeScript: `npm run build:kernels` compiles it to model-kernels.wasm and model-kernels-shared.wasm.
//
// Kernels that the wasm backend of TensorFlow.js lacks or is slow at. They work on the backend's own memory; arguments are
// addresses and sizes. The last two arguments of each are which thread this is, of how many: the work is cut so that no
// two threads write to the same place, and no sum depends on how many there are.
export { adamW } from './adam-w.as';
export { columnsToImage, imageToColumns } from './columns.as';
export { filterGradient, gemmScratch, matmul } from './gemm.as';
export { deformableAttention, deformableAttentionGradient } from './deformable-attention.as';
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
