import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { InputError, OptionError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import type { PublishedFile, PublishedWeights } from '../model/weights/weights-catalogue.js';
import { checkOutputFile } from '../run-folder/check-output-file.js';
import type { CommandContext } from './command-context.js';
import { didYouMean } from './nearest-name.js';
import { overwriteOption } from './overwrite-option.js';

/** Adds `relflow weights list`. */
export function weightsListCommand(parent: Command, context: CommandContext): void {
  parent
    .command('list')
    .summary('list published weights')
    .description(
      'List the published weights that relflow knows: official RLIPv2 and R-Tagger checkpoints, and RoBERTa.',
    )
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  relflow weights list --json')
    .action(async ({ json }: { json?: boolean }) => {
      const { weightsCatalogue } = await import('../model/weights/weights-catalogue.js');
      if (json) context.printText(JSON.stringify(weightsCatalogue, null, 2));
      else
        context.printTable(
          ['name', 'what', 'model', 'download'],
          weightsCatalogue.map((entry) => [
            entry.name,
            entry.title,
            entry.model ?? '–',
            isDirect(entry) ? 'direct' : 'by hand',
          ]),
        );
    });
}

interface GetFlags {
  readonly out?: string;
  readonly file?: string;
  readonly overwrite?: boolean;
}

/** Adds `relflow weights get`. */
export function weightsGetCommand(parent: Command, context: CommandContext): void {
  parent
    .command('get <name>')
    .summary('download published weights, or check a download')
    .description(
      'Download published weights into a folder; an interrupted download continues. Where only a web page leads to the file, print which one to download and what to do with it, and exit with 1. With --file, check a file that was downloaded by hand: its size and checksum if they are known, and that it has the names and shapes of the model. HF_ENDPOINT replaces https://huggingface.co.',
    )
    .option('-o, --out <dir>', 'the folder to write to (its default is the name)')
    .option('--file <path>', 'a file that was downloaded by hand, to check')
    .addOption(overwriteOption())
    .addHelpText(
      'after',
      '\nExamples:\n  relflow weights get roberta-base\n  relflow weights get rtagger-r50\n  relflow weights get rtagger-r50 --file Downloads/checkpoint0019.pth',
    )
    .action(async (name: string, { out, file, overwrite = false }: GetFlags) => {
      const { weightsCatalogue } = await import('../model/weights/weights-catalogue.js');
      const entry = weightsCatalogue.find((one) => one.name === name);
      if (!entry) {
        const names = weightsCatalogue.map((one) => one.name);
        throw new OptionError(
          'weights get',
          `unknown weights '${name}'${didYouMean(name, names)}, expected one of ${names.join(', ')}`,
        );
      }
      if (file !== undefined) await checkDownload(context, entry, file);
      else if (isDirect(entry)) await download(context, entry, out ?? entry.name, overwrite);
      else {
        context.print(...instructions(entry));
        context.exitCode = 1;
      }
    });
}

const isDirect = ({ files }: PublishedWeights): boolean => files.every(({ url }) => url !== null);

const known = (value: number | string | null, unit = ''): string =>
  value === null ? 'not known' : `${typeof value === 'number' ? value.toLocaleString('en-US') : value}${unit}`;

/** What a person has to do to get weights that only a web page leads to. */
function instructions({
  name,
  title,
  model,
  page,
  section,
  folder,
  official,
  files,
  license,
}: PublishedWeights): string[] {
  const { bytes, sha256 } = files[0]!;
  return [
    `${title}`,
    `  page       ${page}, section "${section}"`,
    `  folder     ${folder} (a browser opens it; there is no address of the file itself)`,
    `  file       ${official === null ? 'the checkpoint for this backbone; the official scripts do not name it' : `the official scripts call it ${official}; in the folder its name may be another`}`,
    `  size       ${known(bytes, ' bytes')}`,
    `  SHA-256    ${known(sha256)}`,
    `  license    ${license}`,
    `  model      ${model}`,
    '',
    'Then, with the downloaded file as FILE:',
    `  relflow weights get ${name} --file FILE`,
    `  relflow weights convert FILE ${name}.safetensors --model ${model}`,
    '  relflow weights get roberta-base          # the tokenizer, which every use of these weights needs',
  ];
}

async function download(
  context: CommandContext,
  { files, license, title }: PublishedWeights,
  folder: string,
  overwrite: boolean,
): Promise<void> {
  const { downloadFile } = await import('../endpoints/download-file.js');
  await mkdir(folder, { recursive: true });
  for (const file of files) await checkOutputFile(join(folder, file.name), overwrite);
  context.printNote(`${title}; license: ${license}`);
  for (const file of files) {
    const to = join(folder, file.name);
    const { bytes, sha256, verified } = await downloadFile({ ...file, url: mirrored(file), to });
    const source = { catalogue: 'as expected', server: 'as the server states' };
    context.print(
      `${to}: ${bytes.toLocaleString('en-US')} bytes, SHA-256 ${sha256} (${verified ? source[verified] : 'there is no statement of what it should be'})`,
    );
  }
}

const mirrored = ({ url }: PublishedFile): string => {
  const mirror = process.env['HF_ENDPOINT']?.replace(/\/+$/, '');
  return mirror ? url!.replace('https://huggingface.co', mirror) : url!;
};

/** Checks a file that a person has downloaded. */
async function checkDownload(
  context: CommandContext,
  { name, model, files }: PublishedWeights,
  file: string,
): Promise<void> {
  if (model === null)
    throw new OptionError('weights get', `--file is for checkpoints of a model, but ${name} is downloaded directly`);
  const [published] = files;
  const found = await checksum(file).catch((cause) => {
    throw new InputError(file, 'cannot be read', undefined, { cause });
  });
  for (const [what, expected, value] of [
    ['bytes', published!.bytes, found.bytes],
    ['SHA-256', published!.sha256, found.sha256],
  ] as const)
    if (expected !== null && expected !== value)
      throw new InputError(file, `has the ${what} ${value}, expected ${expected}: download it again`);
  const { openWeights } = await import('../model/index.js');
  const { fittedModel } = await import('./fitted-model.js');
  const source = await openWeights(file);
  try {
    for (const note of source.notes ?? []) context.printNote(`${file}: ${note}`);
    const { names } = await fittedModel(context, model, source);
    const isKnown = published!.sha256 !== null;
    context.print(
      `${file}: ${found.bytes.toLocaleString('en-US')} bytes, SHA-256 ${found.sha256}${isKnown ? ', as published' : '; the publisher states no checksum'}`,
      `${file}: has all ${names.length} arrays of ${model}`,
      `next: relflow weights convert ${resolve(file)} ${name}.safetensors --model ${model}`,
    );
  } finally {
    await source.close();
  }
}
