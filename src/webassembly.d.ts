/** What relflow calls of WebAssembly: TypeScript's own types come with those of the browser only. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    /** Grows by `pages` pages of 64 KiB; earlier buffers become detached. */
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  /** A trap, such as an access outside of the memory. */
  class RuntimeError extends Error {}
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
