import { basename, dirname, join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../errors.js';
import { listNames } from '../files/list-names.js';
import { readFinite } from '../files/read-finite.js';
import { sizeOf, type WeightSource } from '../files/weight-source.js';
import { writeSafetensors } from '../files/write-safetensors.js';
import { openWeights } from '../model/weights/open-weights.js';
import { checkOutputFile } from '../run-folder/check-output-file.js';
import type { CommandContext } from './command-context.js';
import { fittedModel } from './fitted-model.js';
import { overwriteOption } from './overwrite-option.js';
import { weightsGetCommand, weightsListCommand } from './weights-get-command.js';

/** Adds `relflow weights convert`, `init`, `inspect` and `diff`. */
export function weightsCommand(program: Command, context: CommandContext): void {
  const weights = program
    .command('weights')
    .summary('get, convert, initialize, inspect and compare weights')
    .description(
      'Get, convert, initialize, inspect and compare model weights: official .pth checkpoints, safetensors, and safetensors in shards.',
    )
    .addHelpText('after', '\nExample:\n  relflow weights get rtagger-r50');
  weightsListCommand(weights, context);
  weightsGetCommand(weights, context);
  convertCommand(weights, context);
  initCommand(weights, context);
  inspectCommand(weights, context);
  diffCommand(weights, context);
}

interface ConvertFlags {
  readonly entry?: string;
  readonly model?: string;
  readonly shardSize?: number;
  readonly overwrite?: boolean;
}

function convertCommand(parent: Command, context: CommandContext): void {
  parent
    .command('convert <from> <to>')
    .summary('convert weights to safetensors')
    .description(
      'Convert a .pth checkpoint or safetensors to safetensors in 32-bit floats. The header of safetensors is kept. With --model, names and shapes are checked first, aliases are dropped, and the file records the name of the model. Fails if a number is NaN or infinite.',
    )
    .addOption(entryOption())
    .option('-m, --model <name>', 'model that the weights must fit: rTaggerR50, parsedR50, parsedaR50…')
    .addOption(
      new Option('--shard-size <size>', 'split into files of at most this size, e.g. 500MB or 2GB').argParser(bytes),
    )
    .addOption(overwriteOption())
    .addHelpText('after', '\nExample:\n  relflow weights convert checkpoint.pth tagger.safetensors --model rTaggerR50')
    .action(async (from: string, to: string, { entry, model, shardSize, overwrite = false }: ConvertFlags) => {
      if (!to.endsWith('.safetensors'))
        throw new OptionError('weights convert', `output ${to}, expected a .safetensors file`);
      await checkWeightsFiles(to, overwrite);
      await using(context, from, entry, async (source) => {
        const fitted = model === undefined ? null : await fittedModel(context, model, source);
        const metadata = convertedHeader(context, source.metadata ?? {}, model, fitted?.metadata);
        const names = fitted?.names ?? [...source.entries.keys()];
        const written = await writeSafetensors(
          to,
          names.map((name) => ({
            name,
            shape: source.entries.get(name)!.shape,
            read: () => readFinite(source, name),
          })),
          {
            metadata,
            ...(shardSize !== undefined && { shardBytes: shardSize }),
          },
        );
        context.printNote(`${names.length} arrays written to ${written}`);
      });
    });
}

/** Returns the header of a converted file: that of its source, and the name of the model that its arrays fit. */
function convertedHeader(
  context: CommandContext,
  header: Readonly<Record<string, string>>,
  model: string | undefined,
  fitted: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const { config, ...rest } = header;
  if (model === undefined || header['model'] === model) return { ...fitted, ...header };
  // A configuration takes precedence over a name, so that one of another model would contradict it.
  if (config !== undefined)
    context.printNote(`the header described ${header['model'] ?? 'another model'}, it is replaced by ${model}`);
  return { ...rest, ...(fitted ?? { model }) };
}

/** Checks that neither a file of weights nor one of its shards exists, unless it may be replaced. */
async function checkWeightsFiles(to: string, overwrite: boolean): Promise<void> {
  const stem = basename(to, '.safetensors');
  const rest = (await listNames(dirname(to)))
    .filter((name) => name.startsWith(stem))
    .map((name) => name.slice(stem.length));
  const shards = rest.filter((name) => /^-\d{5}-of-\d{5}\.safetensors$|^\.safetensors\.index\.json$/.test(name));
  for (const name of ['.safetensors', ...shards]) await checkOutputFile(join(dirname(to), stem + name), overwrite);
}

interface InitFlags {
  readonly model: string;
  readonly textEncoder?: string;
  readonly seed: number;
  readonly overwrite?: boolean;
}

function initCommand(parent: Command, context: CommandContext): void {
  parent
    .command('init <to>')
    .summary('write the initial weights of a model')
    .description(
      'Write the initial weights of a model for training, as safetensors in 32-bit floats. With --text-encoder, the text encoder has the weights of a RoBERTa from Hugging Face; its pooler is random if the file has none, like that of roberta-base.',
    )
    .requiredOption('-m, --model <name>', 'name of the model: rTaggerR50, parsedR50, parsedaR50…')
    .option('--text-encoder <path>', 'folder of roberta-base, or its file of weights')
    .addOption(new Option('--seed <number>', 'seed of the random weights').argParser(wholeNumber).default(1))
    .addOption(overwriteOption())
    .addHelpText(
      'after',
      '\nExample:\n  hf download FacebookAI/roberta-base --local-dir roberta-base\n  relflow weights init start.safetensors --model rTaggerR50 --text-encoder roberta-base',
    )
    .action(async (to: string, { model, textEncoder, seed, overwrite = false }: InitFlags) => {
      if (!to.endsWith('.safetensors'))
        throw new OptionError('weights init', `output ${to}, expected a .safetensors file`);
      await checkWeightsFiles(to, overwrite);
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
              // Drawn for every array, so that arrays of the encoder do not change the random values of the others.
              const drawn = values.next().value![1];
              return known.has(name) ? encoder!.read(name) : drawn;
            },
          })),
          { metadata: { model } },
        );
        const note = encoder ? `, ${known.size} of them from ${encoder.name}` : '';
        context.printNote(`${parameters.size} arrays written to ${written}${note}`);
      } finally {
        await encoder?.close();
      }
    });
}

function inspectCommand(parent: Command, context: CommandContext): void {
  parent
    .command('inspect <file>')
    .summary('list the arrays of a weights file')
    .description('List the names, types and shapes of the arrays in a weights file, and the fields of its header.')
    .addOption(entryOption())
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  relflow weights inspect checkpoint.pth --entry model_ema')
    .action(async (file: string, { entry, json }: { entry?: string; json?: boolean }) => {
      await using(context, file, entry, async ({ entries, metadata = {} }) => {
        const fields = Object.entries(metadata);
        if (json) {
          const header = fields.length > 0 ? { __metadata__: metadata } : {};
          context.printText(JSON.stringify({ ...header, ...Object.fromEntries(entries) }, null, 2));
          return;
        }
        context.printTable(
          ['name', 'type', 'shape', 'numbers'],
          [...entries].map(([name, { type, shape }]) => [name, type, shape.join(' × ') || '(one)', sizeOf(shape)]),
        );
        const total = [...entries.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
        for (const [name, value] of fields) context.printNote(`header ${name}: ${shortened(value)}`);
        context.printNote(`${entries.size} arrays, ${total.toLocaleString('en-US')} numbers`);
      });
    });
}

const shortened = (text: string): string =>
  text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters, all with --json)` : text;

interface DiffFlags {
  readonly entry?: string;
  readonly tolerance: number;
  readonly json?: boolean;
}

function diffCommand(parent: Command, context: CommandContext): void {
  parent
    .command('diff <a> <b>')
    .summary('compare two weights files')
    .description('Compare two weights files array by array. Exits with 1 when they differ.')
    .addOption(entryOption())
    .addOption(new Option('--tolerance <number>', 'largest absolute difference to ignore').argParser(number).default(0))
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  relflow weights diff checkpoint.pth tagger.safetensors --tolerance 1e-6')
    .action(async (a: string, b: string, { entry, tolerance, json }: DiffFlags) => {
      const hasEntries = (file: string) => !/\.(?:safetensors|json)$/.test(file);
      if (entry !== undefined && !hasEntries(a) && !hasEntries(b))
        throw new OptionError('weights diff', `--entry ${entry}, but neither file is a .pth checkpoint`);
      await using(context, a, hasEntries(a) ? entry : undefined, (first) =>
        using(context, b, hasEntries(b) ? entry : undefined, async (second) => {
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
          if (json) context.printText(JSON.stringify(found, null, 2));
          else if (found.length > 0)
            context.printTable(
              ['name', 'difference'],
              found.map(({ name, difference }) => [name, difference]),
            );
          if (found.length > 0) context.exitCode = 1;
          else context.printNote('no differences');
        }),
      );
    });
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (const [k, value] of a.entries()) {
    const difference = Math.abs(value - b[k]!);
    // Two NaN are equal; a single one is the largest difference.
    if (Number.isNaN(difference) && !Object.is(value, b[k])) return Number.NaN;
    largest = Math.max(largest, Number.isNaN(difference) ? 0 : difference);
  }
  return largest;
}

const entryOption = (): Option =>
  new Option('--entry <name>', 'entry of a .pth checkpoint to read, such as model_ema, ema.module or net');

async function using<T>(
  context: CommandContext,
  path: string,
  entry: string | undefined,
  work: (source: WeightSource) => Promise<T>,
): Promise<T> {
  const source = await openWeights(path, entry === undefined ? {} : { entry });
  try {
    for (const note of source.notes ?? []) context.printNote(`${path}: ${note}`);
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
