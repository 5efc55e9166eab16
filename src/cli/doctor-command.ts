import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './command-context.js';

interface DoctorOptions {
  readonly threads?: number;
  readonly json?: boolean;
  readonly buildKernels?: boolean;
}

/** `relflow doctor`. */
export function doctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .summary('list the backends that can run models on this machine')
    .description(
      'Print the processor, the memory and the backends that can run models on this machine, with the speed of a matrix product.',
    )
    .addOption(
      new Option('--threads <number>', 'threads of the wasm backend (default: all processors, at most 8)').argParser(
        threadCount,
      ),
    )
    .option(
      '--build-kernels',
      "first compile relflow's kernels for backend tensorflow with the C compiler of this machine",
    )
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExamples:\n  relflow doctor\n  relflow doctor --build-kernels --threads 4')
    .action(async ({ threads, json, buildKernels }: DoctorOptions) => {
      if (buildKernels) {
        const { buildCompiledKernels } = await import('../model/backends/build-compiled-kernels.js');
        await buildCompiledKernels(threads);
      }
      const { inspectBackends } = await import('../model/backends/inspect-backends.js');
      const found = await inspectBackends(threads);
      if (json) {
        context.printText(JSON.stringify(found, null, 2));
        return;
      }
      const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
      context.print(`Node ${found.node}; ${found.processor}, ${found.processors} processors`);
      context.print(`memory ${gigabytes(found.memory.total)}, ${gigabytes(found.memory.free)} free`);
      context.print('');
      context.printTable(
        ['backend', 'threads', 'SIMD', 'matrix product', 'ms', 'GFLOP/s'],
        found.backends.map(({ name, threads: count, simd, size, milliseconds, gigaflops }) => [
          name,
          count,
          simd === undefined ? '' : simd ? 'yes' : 'no',
          `${size}³`,
          milliseconds.toFixed(1),
          gigaflops.toFixed(2),
        ]),
      );
      const devices = found.backends.flatMap(({ name, adapter, advice, kernels }) => [
        ...(advice === undefined && adapter === undefined ? [] : [`${name} ${advice ?? `runs on ${adapter}`}`]),
        ...(kernels === undefined ? [] : [`kernels of ${name} ${kernels}`]),
      ]);
      const lines = [...devices, ...found.missing.map(({ name, advice }) => `${name} ${advice}`)];
      if (lines.length > 0) context.print('', ...lines);
    });
}

function threadCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 64)
    throw new InvalidArgumentError('Expected a whole number from 1 to 64.');
  return value;
}
