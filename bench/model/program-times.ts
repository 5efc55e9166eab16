import * as tf from '@tensorflow/tfjs-core';

/** Part of the WebGPU backend that is used here. relflow does not depend on its package. */
interface TimedBackend {
  readonly supportTimestampQuery: boolean;
  activeTimers: { readonly query: Promise<number> }[] | null | undefined;
  runWebGPUProgram(program: { readonly shaderKey: string }, ...rest: unknown[]): unknown;
}

interface ProgramTime {
  calls: number;
  milliseconds: number;
}

/**
 * Measures how long the GPU computes each kind of program of the webgpu backend, with timestamp queries. Each program is
 * submitted separately, so that the whole takes longer. Dawn rounds timestamps to 65.5 µs: only sums of many programs are
 * meaningful.
 * @returns times by program; empty if the GPU has no timestamp queries
 */
export async function programTimes(work: () => Promise<unknown>): Promise<Map<string, ProgramTime>> {
  const backend = tf.backend() as unknown as TimedBackend;
  const times = new Map<string, ProgramTime>();
  if (!backend.supportTimestampQuery) return times;
  const queries: { readonly name: string; readonly query: Promise<number> }[] = [];
  const run = backend.runWebGPUProgram;
  backend.runWebGPUProgram = (program, ...rest) => {
    backend.activeTimers = [];
    try {
      return run.call(backend, program, ...rest);
    } finally {
      for (const { query } of backend.activeTimers) queries.push({ name: nameOf(program), query });
      backend.activeTimers = undefined;
    }
  };
  try {
    await work();
  } finally {
    backend.runWebGPUProgram = run;
  }
  for (const { name, query } of queries) {
    const time = times.get(name) ?? { calls: 0, milliseconds: 0 };
    time.calls++;
    time.milliseconds += await query;
    times.set(name, time);
  }
  return times;
}

/** Returns the name of a program, with which its key begins; shapes and settings follow. */
const nameOf = ({ shaderKey }: { readonly shaderKey: string }): string =>
  shaderKey.startsWith('relflow ') ? shaderKey.split(/[,;]/)[0]! : shaderKey.split(/[_,;]/)[0]!;

/** Formats the total time and the slowest programs, one line each. */
export function programLines(times: ReadonlyMap<string, ProgramTime>, count: number): string[] {
  const all = [...times].sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
  const [total, calls] = all.reduce(
    ([sum, number], [, time]) => [sum + time.milliseconds, number + time.calls],
    [0, 0],
  );
  return [
    `  by the GPU's own clock ${(total / 1000).toFixed(3)} s in ${calls} programs`,
    ...all.slice(0, count).map(([name, time]) => {
      const share = ((100 * time.milliseconds) / total).toFixed(1);
      return `  ${share.padStart(5)} %  ${time.milliseconds.toFixed(2)} ms  ${name}, ${time.calls} calls`;
    }),
  ];
}
