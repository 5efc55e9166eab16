import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { RunFolder } from '../index.js';
import { packageRoot } from '../package-info.js';
import { wasStartedHere } from '../runs/started-runs.js';
import { INPUT_FORMS } from '../sources/input-forms.js';
import type { CommandContext } from './command-context.js';
import { number } from './recipes.js';
import { isSaved } from './saved.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';

interface Flags {
  readonly images?: string;
  readonly from?: string;
  readonly reviews?: string;
  readonly compare?: string;
  readonly port?: number;
  readonly reviewer?: string;
  readonly open: boolean;
}

/** Adds `relflow view`. */
export function viewCommand(program: Command, context: CommandContext): void {
  program
    .command('view <path>')
    .summary('look at a run or set in the browser, and correct it')
    .description(
      'Show a run, or any set that relflow reads, in the browser: a grid of images with filters, counts that follow them and charts, and each image with its boxes, relations and the way of every candidate. Relations can be approved, rejected, changed and drawn; every edit is a line of reviews.jsonl, which `relflow apply` makes a new set of. The server listens on 127.0.0.1 only and needs the token of the link that it prints; nothing leaves the machine. Ctrl-C ends it.',
    )
    .addOption(
      new Option('--images <folder>', 'image folder (default: that of the run, if you started it on this machine)'),
    )
    .addOption(
      new Option('--from <form>', 'form of a set that is not a run (default: by its content)').choices(
        Object.keys(INPUT_FORMS),
      ),
    )
    .addOption(
      new Option('--reviews <file>', 'file of edits (default: reviews.jsonl in the run, or next to the file of a set)'),
    )
    .addOption(new Option('--compare <path>', 'another run or set of the same images, to see the differences'))
    .addOption(new Option('--port <number>', 'port of 127.0.0.1 (default: a free one)').argParser(number))
    .addOption(new Option('--reviewer <name>', 'name of the person who reviews (default: the user name)'))
    .addOption(new Option('--no-open', 'print the link without opening the browser'))
    .addHelpText(
      'after',
      '\nExamples:\n  relflow view coco-graphs --images train2017\n  relflow view psg.json --images coco',
    )
    .action(async (path: string, { images, from, compare, open, ...flags }: Flags) => {
      // The server and its engine are loaded by this command alone.
      const [{ startView }, { openSet }] = await Promise.all([
        import('../view/server/start-view.js'),
        import('../view/open-set.js'),
      ]);
      const set = await openSet('view', path, {
        ...(from !== undefined && { from }),
        ...(images !== undefined && { images }),
      });
      const folders =
        images !== undefined ? [images] : set.kind === 'run' ? await imagesOfRun(new RunFolder(path)) : [];
      const other = compare === undefined ? undefined : await openSet('view', compare);
      const stopped = new Promise<void>((resolve) => {
        stopOnInterrupt(context, resolve);
      });
      const view = await startView(set, { images: folders, ...(other && { compare: other }), ...flags });
      context.print(view.url);
      if (folders.length === 0)
        context.printNote('no pictures are shown: the image folder is not known; give it with --images');
      if (!view.progress.done) context.printNote('indexing goes on; the page shows what is ready, and how far it is');
      if (open && context.stdout.isTTY) openBrowser(view.url);
      await stopped;
      await view.close();
    });
}

/** Returns the image folder that the run's own options name, if they are the user's; the demo's images are in the package. */
async function imagesOfRun(folder: RunFolder): Promise<readonly string[]> {
  const state = await folder.state();
  if (!state || !isSaved(state.options)) return [];
  const { recipe, options } = state.options;
  if (recipe === 'demo') return [join(packageRoot, 'fixtures', 'scenes', 'images')];
  const { images } = options;
  return typeof images === 'string' && (await wasStartedHere(state)) ? [images] : [];
}

const BROWSERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens the browser; where there is none, the printed link remains. */
function openBrowser(url: string): void {
  const [program = 'xdg-open', ...args] = BROWSERS[process.platform] ?? ['xdg-open'];
  const browser = spawn(program, [...args, url], { detached: true, stdio: 'ignore' });
  browser.on('error', () => {});
  browser.unref();
}
