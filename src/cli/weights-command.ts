import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../errors.js';
import { sizeOf, type WeightSource } from '../files/weight-source.js';
import { writeSafetensors } from '../files/write-safetensors.js';
import { openWeights } from '../model/weights/open-weights.js';
import type { CommandContext } from './command-context.js';
import { table } from './table.js';

/** `relflow weights convert|inspect|diff`. */
export function weightsCommand(program: Command, context: CommandContext): void {
  const weights = program
    .command('weights')
    .summary('convert, start, inspect and compare weights')
    .description('Work on model weights: official .pth checkpoints, safetensors, and shards of them.');
  convertCommand(weights, context);
  initCommand(weights, context);
  inspectCommand(weights, context);
  diffCommand(weights, context);
}

interface ConvertFlags {
  readonly model?: string;
  readonly shardSize?: number;
}

function convertCommand(parent: Command, context: CommandContext): void {
  parent
    .command('convert <from> <to>')
    .summary('write weights as safetensors')
    .description(
      'Read a .pth checkpoint or safetensors and write safetensors in 32-bit floats. With --model the names and shapes are checked first, aliases left out, and the file says which model it is of.',
    )
    .option('-m, --model <name>', 'the model that the weights must be of: rTaggerR50, parsedR50, parsedaR50…')
    .addOption(new Option('--shard-size <size>', 'cut into files of at most this size: 500MB, 2GB').argParser(bytes))
    .addHelpText('after', '\nExample:\n  relflow weights convert checkpoint.pth tagger.safetensors --model rTaggerR50')
    .action(async (from: string, to: string, { model, shardSize }: ConvertFlags) => {
      if (!to.endsWith('.safetensors')) throw new OptionError('weights convert', `${to}, expected a .safetensors file`);
      await using(from, async (source) => {
        const names = model === undefined ? [...source.entries.keys()] : await namesOf(model, source);
        const written = await writeSafetensors(
          to,
          names.map((name) => ({ name, shape: source.entries.get(name)!.shape, read: () => source.read(name) })),
          {
            ...(model !== undefined && { metadata: { model } }),
            ...(shardSize !== undefined && { shardBytes: shardSize }),
          },
        );
        context.printNote(`${names.length} arrays written to ${written}`);
      });
    });
}

/** The names of a model's parameters, all of which the source has in the right shape. */
async function namesOf(model: string, source: WeightSource): Promise<string[]> {
  const { checkWeights, preset, RlipV2 } = await import('../model/index.js');
  const { parameters } = new RlipV2(preset(model));
  checkWeights(parameters, source, `is no ${model}`);
  return [...parameters.keys()];
}

interface InitFlags {
  readonly model: string;
  readonly textEncoder?: string;
  readonly seed: number;
}

function initCommand(parent: Command, context: CommandContext): void {
  parent
    .command('init <to>')
    .summary('write the weights that training starts with')
    .description(
      "Write a model's weights as they are before training, as safetensors in 32-bit floats. With --text-encoder the text encoder is a RoBERTa of Hugging Face; where that has no pooler, as roberta-base on the hub, the pooler starts at random.",
    )
    .requiredOption('-m, --model <name>', 'the model: rTaggerR50, parsedR50, parsedaR50…')
    .option('--text-encoder <path>', 'a folder of roberta-base, or its file of weights')
    .addOption(new Option('--seed <number>', 'of the random values').argParser(wholeNumber).default(1))
    .addHelpText(
      'after',
      '\nExample:\n  hf download FacebookAI/roberta-base --local-dir roberta-base\n  relflow weights init start.safetensors --model rTaggerR50 --text-encoder roberta-base',
    )
    .action(async (to: string, { model, textEncoder, seed }: InitFlags) => {
      if (!to.endsWith('.safetensors')) throw new OptionError('weights init', `${to}, expected a .safetensors file`);
      const { initialValues, openTextEncoder, preset, RlipV2, textEncoderParameters } = await import(
        '../model/index.js'
      );
      const { parameters } = new RlipV2(preset(model));
      const encoder = textEncoder === undefined ? undefined : await openTextEncoder(textEncoder);
      try {
        const known = encoder ? textEncoderParameters(parameters, encoder) : new Map<string, unknown>();
        const values = initialValues(parameters, seed);
        const written = await writeSafetensors(
          to,
          [...parameters.values()].map(({ name, shape }) => ({
            name,
            shape,
            read: async () => {
              // Drawn for each array in turn, so that those which are read leave the others as they would be.
              const drawn = values.next().value![1];
              return known.has(name) ? encoder!.read(name) : drawn;
            },
          })),
          { metadata: { model } },
        );
        const note = encoder ? `, ${known.size} of them of ${encoder.name}` : '';
        context.printNote(`${parameters.size} arrays written to ${written}${note}`);
      } finally {
        await encoder?.close();
      }
    });
}

function inspectCommand(parent: Command, context: CommandContext): void {
  parent
    .command('inspect <file>')
    .summary('list the arrays of a file')
    .description('List the arrays of a file: names, types, shapes.')
    .option('--json', 'print as JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      await using(file, async ({ entries }) => {
        if (json) {
          context.print(JSON.stringify(Object.fromEntries(entries), null, 2));
          return;
        }
        context.print(
          table(
            ['name', 'type', 'shape', 'numbers'],
            [...entries].map(([name, { type, shape }]) => [name, type, shape.join(' × ') || '(one)', sizeOf(shape)]),
          ),
        );
        const total = [...entries.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
        context.printNote(`${entries.size} arrays, ${total.toLocaleString('en-US')} numbers`);
      });
    });
}

interface DiffFlags {
  readonly tolerance: number;
  readonly json?: boolean;
}

function diffCommand(parent: Command, context: CommandContext): void {
  parent
    .command('diff <a> <b>')
    .summary('compare two files of weights')
    .description('Compare two files of weights, array by array. Exits with 1 where they differ.')
    .addOption(
      new Option('--tolerance <number>', 'largest absolute difference that is none').argParser(number).default(0),
    )
    .option('--json', 'print as JSON')
    .action(async (a: string, b: string, { tolerance, json }: DiffFlags) => {
      await using(a, (first) =>
        using(b, async (second) => {
          const found: { name: string; difference: string }[] = [];
          for (const [name, { shape }] of first.entries) {
            const other = second.entries.get(name);
            if (!other) found.push({ name, difference: `only in ${a}` });
            else if (other.shape.join() !== shape.join())
              found.push({ name, difference: `shape [${shape}] and [${other.shape}]` });
            else {
              const largest = largestDifference(await first.read(name), await second.read(name));
              if (!(largest <= tolerance)) found.push({ name, difference: `up to ${largest.toExponential(3)}` });
            }
          }
          for (const name of second.entries.keys())
            if (!first.entries.has(name)) found.push({ name, difference: `only in ${b}` });
          if (json) context.print(JSON.stringify(found, null, 2));
          else if (found.length > 0)
            context.print(
              table(
                ['name', 'difference'],
                found.map(({ name, difference }) => [name, difference]),
              ),
            );
          if (found.length > 0) context.exitCode = 1;
          else context.printNote('no difference');
        }),
      );
    });
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (const [k, value] of a.entries()) {
    const difference = Math.abs(value - b[k]!);
    // Two NaN are the same; one is the largest difference of all.
    if (Number.isNaN(difference) && !Object.is(value, b[k])) return Number.NaN;
    largest = Math.max(largest, Number.isNaN(difference) ? 0 : difference);
  }
  return largest;
}

async function using<T>(path: string, work: (source: WeightSource) => Promise<T>): Promise<T> {
  const source = await openWeights(path);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('Expected a number of at least 0.');
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected a whole number of at least 0.');
  return value;
}

function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(KB|MB|GB)?$/i.exec(text.trim());
  const value = match ? Number(match[1]) * { KB: 1e3, MB: 1e6, GB: 1e9 }[(match[2] ?? 'MB').toUpperCase()]! : 0;
  if (!(value >= 1)) throw new InvalidArgumentError('Expected a size such as 500MB or 2GB.');
  return value;
}
