import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { installWebgpuKernels } from './install-webgpu-kernels.js';

const require = createRequire(import.meta.url);

/** What WebGPU needs beside relflow: the backend, and Dawn, which gives Node a GPU. */
const PACKAGES = ['@tensorflow/tfjs-backend-webgpu', 'webgpu'] as const;

/** Those of them that are not installed. */
export const missingWebgpuPackages = (): readonly string[] =>
  PACKAGES.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });

/** What is used of Dawn and its objects, which Node's types know nothing of. */
interface Dawn {
  create(options: readonly string[]): Gpu;
  readonly globals: object;
}

interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<Adapter | null>;
}

interface Adapter {
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  readonly info: Readonly<Record<'vendor' | 'architecture' | 'device' | 'description', string>>;
  requestDevice(description: object): Promise<Device>;
}

interface Device {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(event: 'uncapturederror', listener: (event: { readonly error: Error }) => void): void;
}

interface WebgpuPackage {
  readonly WebGPUBackend: new (device: Device, info: object) => tf.KernelBackend;
}

/** Limits of the device that models come near to: all that the adapter has. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

let adapterName: string | undefined;

/** Dawn ends where nobody holds this any more, with all that it made. */
let gpu: Gpu | undefined;

/**
 * Starts the WebGPU backend in this process, on the adapter that Dawn takes for the fastest one.
 * @returns the adapter's name, e.g. `NVIDIA H100`
 * @throws RelflowError (`no-backend`) where a package is missing, there is no adapter, or it can't be started
 */
export async function startWebgpuBackend(): Promise<{ readonly adapter: string }> {
  const missing = missingWebgpuPackages();
  if (missing.length > 0)
    throw new RelflowError(
      'no-backend',
      `backend webgpu: needs ${missing.join(' and ')} beside relflow, see docs/backends.md`,
    );
  try {
    adapterName ??= await registerDevice();
    if (!(await tf.setBackend('webgpu'))) throw new Error('the backend refused to start');
    await tf.ready();
  } catch (cause) {
    if (cause instanceof RelflowError) throw cause;
    throw new RelflowError(
      'no-backend',
      `backend webgpu: its packages are there but it can not be started: ${(cause as Error).message}; see docs/backends.md`,
      {},
      { cause },
    );
  }
  installWebgpuKernels();
  return { adapter: adapterName };
}

/** Registers the backend on a device of our own, whose errors are heard from its first moment. */
async function registerDevice(): Promise<string> {
  const { create, globals } = (await import(PACKAGES[1] as string)) as Dawn;
  gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new RelflowError(
      'no-backend',
      'backend webgpu: there is no adapter: neither a GPU with a driver for Vulkan, Metal or Direct3D 12, nor one in software, see docs/backends.md',
    );
  Object.assign(globalThis, globals);
  const device = await adapter.requestDevice({
    requiredFeatures: ['timestamp-query'].filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  const watch = new DeviceGuard(device);
  // The package believes in a GPU where the page's navigator has one, while it is loaded and while the backend is made.
  const restore = stubNavigator(gpu);
  try {
    const { WebGPUBackend } = require(PACKAGES[0]) as WebgpuPackage;
    const backend = new WebGPUBackend(device, adapter.info);
    watch.guard(backend);
    // The package has registered a backend with a device of its own.
    if (tf.engine().registryFactory['webgpu']) tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => backend);
  } finally {
    restore();
  }
  const { description, device: model, vendor, architecture } = adapter.info;
  return description || model || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
}

function stubNavigator(gpu: Gpu): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
  return () => {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  };
}

/**
 * A call that the device finds invalid does not throw: it does nothing, and what is read afterwards is whatever the memory
 * held. Neither does one on a device that is lost. Both end the process, as an uncaught error, before any number is read.
 */
class DeviceGuard {
  #failure: RelflowError | undefined;

  constructor(device: Device) {
    device.addEventListener('uncapturederror', ({ error }) =>
      this.#fail(`${error.constructor.name}: ${error.message}`, error),
    );
    void device.lost.then(({ reason, message }) => this.#fail(`the device is lost (${reason}): ${message}`));
  }

  /** No read gives numbers once the device has failed. */
  guard(backend: tf.KernelBackend): void {
    const read = backend.read.bind(backend);
    backend.read = async (id) => {
      const values = await read(id);
      // Errors are told of by an event of their own.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#failure) throw this.#failure;
      return values;
    };
    backend.readSync = ((readSync) => (id: object) => {
      const { values } = (backend as unknown as { tensorMap: tf.DataStorage<{ values: unknown }> }).tensorMap.get(id);
      if (values === null || values === undefined)
        throw new RelflowError(
          'no-sync-read',
          'backend webgpu: a GPU is read asynchronously alone, by data() and not dataSync()',
        );
      return readSync(id);
    })(backend.readSync.bind(backend));
  }

  #fail(message: string, cause?: Error): void {
    if (this.#failure) return;
    const failure = new RelflowError('backend-failed', `backend webgpu: ${message}`, {}, { cause });
    this.#failure = failure;
    setImmediate(() => {
      throw failure;
    });
  }
}
