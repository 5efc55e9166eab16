import { registerMatrixKernels } from './kernels/register-matrix-kernels.js';
import { registerModelKernels } from './kernels/register-model-kernels.js';
import { registerRowKernels } from './kernels/register-row-kernels.js';
import { registerSumKernels } from './kernels/register-sum-kernels.js';
import { WasmHeap } from './wasm-heap.js';

let heap: WasmHeap | undefined;

/** Puts in what the wasm backend lacks or is slow at. Called once it runs, and again where it was started anew. */
export function installWasmKernels(threads: number): void {
  heap?.close();
  heap = new WasmHeap(threads);
  registerMatrixKernels(heap);
  registerRowKernels(heap);
  registerSumKernels(heap);
  registerModelKernels(heap);
}
