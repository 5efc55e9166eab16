import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { installWebgpuKernels } from './install-webgpu-kernels.js';

const require = createRequire(import.meta.url);

/** Optional packages that the backend needs: the backend of TensorFlow.js, and Dawn, which gives Node access to a GPU. */
const PACKAGES = ['@tensorflow/tfjs-backend-webgpu', 'webgpu'] as const;

/** Returns the packages of the backend that are not installed. */
export const missingWebgpuPackages = (): readonly string[] =>
  PACKAGES.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });

/** Members of Dawn that relflow uses; Node's types lack them. */
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

/** Device limits that models may reach; each is raised to the adapter's own limit. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** Name of the adapter, set once the backend is registered. */
let adapterName: string | undefined;

/** Keeps Dawn and its objects alive; they are destroyed when this is garbage-collected. */
let gpu: Gpu | undefined;

/**
 * Starts the WebGPU backend in this process, on the adapter that Dawn reports as the fastest.
 * @returns the adapter's name, e.g. `NVIDIA H100`
 * @throws RelflowError (`no-backend`) if a package is missing, no adapter is found, or the backend cannot start
 */
export async function startWebgpuBackend(): Promise<{ readonly adapter: string }> {
  const missing = missingWebgpuPackages();
  if (missing.length > 0)
    throw new RelflowError(
      'no-backend',
      `backend webgpu: install ${missing.join(' and ')} next to relflow, see docs/backends.md`,
    );
  try {
    adapterName ??= await registerDevice();
    if (!(await tf.setBackend('webgpu'))) throw new Error('tf.setBackend failed');
    await tf.ready();
  } catch (cause) {
    if (cause instanceof RelflowError) throw cause;
    throw new RelflowError(
      'no-backend',
      `backend webgpu: its packages are installed but it cannot start: ${(cause as Error).message}; see docs/backends.md`,
      {},
      { cause },
    );
  }
  installWebgpuKernels();
  return { adapter: adapterName };
}

/** Registers the backend on a device created here, whose errors are observed from the start. @returns the adapter's name */
async function registerDevice(): Promise<string> {
  const { create, globals } = (await import(PACKAGES[1] as string)) as Dawn;
  gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new RelflowError(
      'no-backend',
      'backend webgpu: no adapter found, expected a GPU with a driver for Vulkan, Metal or Direct3D 12, or a software driver, see docs/backends.md',
    );
  Object.assign(globalThis, globals);
  const device = await adapter.requestDevice({
    requiredFeatures: ['timestamp-query'].filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  const deviceGuard = new DeviceGuard(device);
  // The package looks for a browser's `navigator.gpu` while it is loaded and while the backend is created.
  const restore = stubNavigator(gpu);
  try {
    const { WebGPUBackend } = require(PACKAGES[0]) as WebgpuPackage;
    const backend = new WebGPUBackend(device, adapter.info);
    deviceGuard.guard(backend);
    // Loading the package registered a backend with a device of its own.
    if (tf.engine().registryFactory['webgpu']) tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => backend);
  } finally {
    restore();
  }
  const { description, device: model, vendor, architecture } = adapter.info;
  return description || model || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
}

/** Sets `navigator.gpu`. @returns a function that restores the previous navigator */
function stubNavigator(gpu: Gpu): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
  return () => {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  };
}

/**
 * Turns errors of a device into an uncaught error, which ends the process. WebGPU itself ignores an invalid call and any call
 * on a lost device, so later reads would return arbitrary memory.
 */
class DeviceGuard {
  #failure: RelflowError | undefined;

  constructor(device: Device) {
    device.addEventListener('uncapturederror', ({ error }) =>
      this.#fail(`${error.constructor.name}: ${error.message}`, error),
    );
    void device.lost.then(({ reason, message }) => this.#fail(`the device is lost (${reason}): ${message}`));
  }

  /** Makes every read of the backend throw after the device has failed, and every synchronous read of GPU memory. */
  guard(backend: tf.KernelBackend): void {
    const read = backend.read.bind(backend);
    backend.read = async (id) => {
      const values = await read(id);
      // Dawn reports errors in an event of their own, which this lets run first.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#failure) throw this.#failure;
      return values;
    };
    backend.readSync = ((readSync) => (id: object) => {
      const { values } = (backend as unknown as { tensorMap: tf.DataStorage<{ values: unknown }> }).tensorMap.get(id);
      if (values === null || values === undefined)
        throw new RelflowError('no-sync-read', 'backend webgpu: dataSync() cannot read from a GPU, use data()');
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
