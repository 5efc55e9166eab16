/** Names that `useBackend` accepts besides `auto`. */
export const BACKENDS = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

/** Every value of `--backend`. */
export const BACKEND_CHOICES: readonly string[] = ['auto', ...BACKENDS];

/** Name of a backend: the TensorFlow C library, WebGPU, WebAssembly or plain JavaScript. */
export type BackendName = (typeof BACKENDS)[number];

/** Returns whether tensors of a backend can be read only by `data()`, so never in the middle of a forward pass. */
export const requiresAsyncReads = (backend: string): boolean => backend === 'webgpu';
