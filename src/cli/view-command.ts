import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { RunFolder } from '../index.js';
import { packageRoot } from '../package-info.js';
import { wasStartedHere } from '../runs/started-runs.js';
import type { CommandContext } from './command-context.js';
import { number } from './recipes.js';
import { isSaved } from './saved.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';

interface Flags {
  readonly images?: string;
  readonly port?: number;
  readonly reviewer?: string;
  readonly open: boolean;
}

/** Adds `relflow view`. */
export function viewCommand(program: Command, context: CommandContext): void {
  program
    .command('view <folder>')
    .summary('look at a run in the browser')
    .description(
      'Show a run in the browser: a grid of images with filters, counts that follow them and charts, and each image with its boxes, relations and the way of every candidate. The server listens on 127.0.0.1 only and needs the token of the link that it prints; nothing leaves the machine. Ctrl-C ends it.',
    )
    .addOption(
      new Option('--images <folder>', 'image folder (default: that of the run, if you started it on this machine)'),
    )
    .addOption(new Option('--port <number>', 'port of 127.0.0.1 (default: a free one)').argParser(number))
    .addOption(new Option('--reviewer <name>', 'name of the person who reviews (default: the user name)'))
    .addOption(new Option('--no-open', 'print the link without opening the browser'))
    .addHelpText('after', '\nExample:\n  relflow view coco-graphs --images train2017')
    .action(async (path: string, { images, open, ...flags }: Flags) => {
      const folder = new RunFolder(path);
      // The server and its engine are loaded by this command alone.
      const [{ startView }, { viewRun }] = await Promise.all([
        import('../view/server/start-view.js'),
        import('../view/server/view-set.js'),
      ]);
      const set = await viewRun(folder);
      const folders = images === undefined ? await imagesOfRun(folder) : [images];
      const stopped = new Promise<void>((resolve) => {
        stopOnInterrupt(context, resolve);
      });
      const view = await startView(set, { images: folders, ...flags });
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
