import { spawn } from 'node:child_process';

/** Load of a GPU while a program ran. */
export interface GpuLoad {
  /** Mean of the last 40 % of the samples, in percent: programs are compiled before. */
  readonly busy: number;
  /** Largest memory in use, in bytes. */
  readonly bytes: number;
}

/** Samples the first NVIDIA GPU ten times a second. @returns a function that ends this; its result is null without a GPU */
export function sampleGpu(): () => GpuLoad | null {
  const samples: (readonly [number, number])[] = [];
  const child = spawn('nvidia-smi', [
    '--query-gpu=utilization.gpu,memory.used',
    '--format=csv,noheader,nounits',
    '--id=0',
    '--loop-ms=100',
  ]);
  child.on('error', () => {});
  child.stdout.on('data', (text: Buffer) => {
    for (const line of text.toString().split('\n')) {
      const [busy, megabytes] = line.split(',').map(Number);
      if (Number.isFinite(busy) && Number.isFinite(megabytes)) samples.push([busy!, megabytes! * 2 ** 20]);
    }
  });
  return () => {
    child.kill();
    const last = samples.slice(Math.floor(0.6 * samples.length));
    if (last.length === 0) return null;
    return {
      busy: last.reduce((sum, [busy]) => sum + busy, 0) / last.length,
      bytes: samples.reduce((most, [, bytes]) => Math.max(most, bytes), 0),
    };
  };
}
