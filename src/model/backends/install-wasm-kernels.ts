import { registerMatrixKernels } from './kernels/register-matrix-kernels.js';
import { registerModelKernels } from './kernels/register-model-kernels.js';
import { registerRowKernels } from './kernels/register-row-kernels.js';
import { registerSumKernels } from './kernels/register-sum-kernels.js';
import { guardWasmKernels } from './wasm-failures.js';
import { WasmHeap } from './wasm-heap.js';

let heap: WasmHeap | undefined;

/**
 * Registers kernels that the wasm backend lacks or that are faster than its own. Must be called after each start of the
 * backend.
 * @param threads number of threads that share a kernel's work
 */
export function installWasmKernels(threads: number): void {
  heap?.close();
  heap = new WasmHeap(threads);
  registerMatrixKernels(heap);
  registerRowKernels(heap);
  registerSumKernels(heap);
  registerModelKernels(heap);
  guardWasmKernels();
}
