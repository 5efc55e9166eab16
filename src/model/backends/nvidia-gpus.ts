import { execFileSync } from 'node:child_process';

/** A graphics processor of NVIDIA. */
export interface NvidiaGpu {
  readonly name: string;
  /** In bytes. */
  readonly memory: number;
  /** Version of the driver, e.g. `580.159.04`. */
  readonly driver: string;
}

const FIELDS = 'name,memory.total,driver_version';

/**
 * Lists the GPUs that this process may use, as the driver's `nvidia-smi` reports them; none without that command. Respects
 * `CUDA_VISIBLE_DEVICES` if it holds numbers or identifiers of devices.
 */
export function nvidiaGpus(): NvidiaGpu[] {
  const visible = process.env['CUDA_VISIBLE_DEVICES'];
  if (visible === '' || visible === '-1') return [];
  const devices = visible === undefined ? [] : [`--id=${visible}`];
  try {
    const printed = execFileSync('nvidia-smi', [...devices, `--query-gpu=${FIELDS}`, '--format=csv,noheader,nounits'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return printed.split('\n').flatMap((line) => {
      const [name, mebibytes, driver] = line.split(',').map((field) => field.trim());
      return name && driver ? [{ name, memory: Number(mebibytes) * 2 ** 20, driver }] : [];
    });
  } catch {
    return [];
  }
}
