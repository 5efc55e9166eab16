import { type Command, Option } from 'commander';
import {
  type AnswerFilter,
  AnswerStore,
  answerLines,
  answerStatistics,
  captionsByImage,
  defaultStoreFolder,
  forgetAnswers,
  importAnswers,
  openExistingStore,
} from '../endpoints/index.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeAtomically } from '../files/write-atomically.js';
import { OptionError } from '../index.js';
import { checkOutputFile } from '../run-folder/check-output-file.js';
import type { CommandContext } from './command-context.js';
import { overwriteOption } from './overwrite-option.js';

interface StoreFlags extends AnswerFilter {
  readonly store?: string;
}

interface ExportFlags extends StoreFlags {
  readonly dataset?: string;
  readonly overwrite?: boolean;
}

const MOST_NAMED = 20;

/** `relflow captions export|import|stats|gc`: the store of answers that were paid for. */
export function captionsCommand(program: Command, context: CommandContext): void {
  const captions = program
    .command('captions')
    .summary('export, import, count and delete cached answers of models')
    .description('Manage the store of cached answers, which all pipelines share so that each answer is paid for once.')
    .addHelpText('after', '\nExample:\n  relflow captions stats');
  exportCommand(captions, context);
  importCommand(captions, context);
  statsCommand(captions, context);
  gcCommand(captions, context);
}

function exportCommand(captions: Command, context: CommandContext): void {
  withStore(captions, 'export <file>')
    .summary('write cached answers to a file')
    .description(
      'Write cached answers as JSON lines for another store or, with --dataset, captions by image for --captions. The file appears when it is complete.',
    )
    .addOption(overwriteOption())
    .option('--dataset <name>', 'write {"image id": ["caption", …]} for the images of this dataset, e.g. coco2017')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow captions export answers.jsonl\n  relflow captions export captions.json --dataset coco2017 --model Qwen/Qwen2.5-VL-7B-Instruct',
    )
    .action(async (file: string, { dataset, overwrite = false, ...flags }: ExportFlags) => {
      await checkOutputFile(file, overwrite);
      await withOpen(await openExistingStore(folderOf(flags)), async (store) => {
        if (dataset === undefined) {
          const { bytes } = await wrapIoErrors(file, () => writeAtomically(file, answerLines(store, flags)));
          context.print(`${file}: ${bytes} bytes`);
          return;
        }
        const byImage = captionsByImage(store, dataset, flags);
        await wrapIoErrors(file, () => writeAtomically(file, [`${JSON.stringify(byImage)}\n`]));
        context.print(`${file}: captions of ${Object.keys(byImage).length} images`);
      });
    });
}

function importCommand(captions: Command, context: CommandContext): void {
  captions
    .command('import <file>')
    .summary('add answers from a file')
    .description('Add the answers of an exported JSON Lines file. Answers that are already in the store do not change.')
    .addOption(storeOption())
    .addHelpText('after', '\nExample:\n  relflow captions import answers.jsonl')
    .action(async (file: string, flags: StoreFlags) => {
      await withOpen(await AnswerStore.open(folderOf(flags)), async (store) => {
        const { added, known, bad } = await importAnswers(store, file);
        context.print(`${added} answers added, ${known} already in the store`);
        for (const { line, problem } of bad.slice(0, MOST_NAMED)) context.printNote(`${file}:${line}: ${problem}`);
        if (bad.length === 0) return;
        context.printNote(`${bad.length} lines are not valid answers and were skipped`);
        context.exitCode = 1;
      });
    });
}

function statsCommand(captions: Command, context: CommandContext): void {
  captions
    .command('stats')
    .summary('count the answers of each model and question')
    .description('Count the answers of each model and question, and their tokens as reported by the servers.')
    .addOption(storeOption())
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  relflow captions stats')
    .action(async ({ json, ...flags }: StoreFlags & { json?: boolean }) => {
      await withOpen(await openExistingStore(folderOf(flags)), async (store) => {
        const questions = answerStatistics(store);
        const bytes = await store.sizeOnDisk();
        if (json) {
          context.print(JSON.stringify({ store: store.folder, bytes, questions }));
          return;
        }
        const rows = questions.map((of) => [
          of.protocol,
          of.model,
          shorten(of.prompt),
          of.subjects,
          of.answers,
          of.refused,
          of.empty,
          of.inputTokens,
          of.outputTokens,
          of.last.slice(0, 10),
        ]);
        const head = [
          'protocol',
          'model',
          'prompt',
          'subjects',
          'answers',
          'refused',
          'empty',
          'tokens in',
          'tokens out',
          'last',
        ];
        context.printTable(head, rows);
        context.print('', `${(bytes / 1e6).toFixed(1)} MB in ${store.folder}`);
      });
    });
}

interface GcFlags extends StoreFlags {
  readonly useless?: boolean;
  readonly before?: string;
  readonly dryRun?: boolean;
}

function gcCommand(captions: Command, context: CommandContext): void {
  withStore(captions, 'gc')
    .summary('delete cached answers')
    .description(
      'Delete the answers that match every given option; a later run asks and pays for them again. The freed space is reused for new answers; to shrink the files, export the answers and import them into a new store.',
    )
    .option('--useless', 'only refusals, empty answers and those with thoughts only')
    .option('--before <date>', 'only answers from before this date or time, ISO 8601, e.g. 2026-01-31')
    .option('-n, --dry-run', 'count the answers without deleting them')
    .addHelpText('after', '\nExample:\n  relflow captions gc --useless --model Qwen/Qwen2.5-VL-7B-Instruct')
    .action(async ({ before, dryRun = false, ...flags }: GcFlags) => {
      const { useless, model, protocol } = flags;
      if (useless === undefined && before === undefined && model === undefined && protocol === undefined) {
        throw new OptionError('gc', 'expected at least one of --useless, --before, --model, --protocol');
      }
      const time = before === undefined ? undefined : Date.parse(before);
      if (Number.isNaN(time)) throw new OptionError('gc', `--before '${before}', expected a date such as 2026-01-31`);
      await withOpen(await openExistingStore(folderOf(flags)), async (store) => {
        const what = { ...flags, ...(time !== undefined && { before: new Date(time).toISOString() }) };
        const count = await forgetAnswers(store, what, dryRun);
        context.print(`${count} answers ${dryRun ? 'would be deleted' : 'deleted'}`);
      });
    });
}

/** Adds a subcommand that selects answers of a store. */
function withStore(captions: Command, name: string): Command {
  return captions
    .command(name)
    .addOption(storeOption())
    .option('--model <model>', 'only answers of this model')
    .option(
      '--protocol <name>',
      'only answers of this captioner or parser: hf-chat, hf-blip, transformers-js or factual-t5',
    );
}

const storeOption = () =>
  new Option('--store <folder>', 'folder of the store (default: RELFLOW_STORE, or a folder in your home)');

const folderOf = ({ store }: StoreFlags) => store ?? defaultStoreFolder();

const shorten = (text: string) => (text.length > 32 ? `${text.slice(0, 31)}…` : text);

async function withOpen(store: AnswerStore, work: (store: AnswerStore) => Promise<void>): Promise<void> {
  try {
    await work(store);
  } finally {
    await store.close();
  }
}
