import { backendOrSkip } from './backends.js';

/** Starts the webgpu backend, or skips the test or suite if a package or an adapter is missing. */
export async function webgpuOrSkip(context: Mocha.Context): Promise<void> {
  await backendOrSkip(context, 'webgpu');
}
