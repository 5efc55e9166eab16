export const BACKENDS = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

/** Where tensors live: TensorFlow's own library, a GPU by WebGPU, WebAssembly, or plain JavaScript. */
export type BackendName = (typeof BACKENDS)[number];
