export const BACKENDS = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

/** Where tensors live: TensorFlow's own library, a GPU by WebGPU, WebAssembly, or plain JavaScript. */
export type BackendName = (typeof BACKENDS)[number];

/** Whether a backend's numbers are read asynchronously alone: not in the middle of a pass. */
export const requiresAsyncReads = (backend: string): boolean => backend === 'webgpu';
