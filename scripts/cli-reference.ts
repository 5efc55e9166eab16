import { Readable, Writable } from 'node:stream';
// biome-ignore lint/style/noRestrictedImports: this script prints the help of the command line
import { runCli } from '../src/cli/run-cli.js';

/** Line of docs/cli.md after which the reference starts. */
export const REFERENCE_START = '<!-- what follows is written by npm run docs:cli -->';

/** Pipelines with the same options as the one that is shown. */
const LIKE_COCO = new Set(['objects365', 'demo']);

/** Returns the reference of all commands in Markdown: the help that each one prints. */
export async function cliReference(): Promise<string> {
  const sections: string[] = [];
  const add = async (path: readonly string[]) => {
    const help = (await printed([...path, '--help'])).trimEnd();
    sections.push(`## relflow ${path.join(' ')}\n\n\`\`\`text\n${help}\n\`\`\`\n`);
    for (const name of await subcommands(path)) {
      if (path[0] === 'plan' || (path[0] === 'run' && LIKE_COCO.has(name))) continue;
      await add([...path, name]);
    }
  };
  for (const name of await subcommands([])) await add([name]);
  return sections.join('\n');
}

async function subcommands(path: readonly string[]): Promise<string[]> {
  const lines = (await printed(['complete-words', '--', ...path, ''])).trimEnd().split('\n');
  const names = lines.filter((line) => line.includes('\t')).map((line) => line.split('\t')[0]!);
  return names.filter((name) => name !== 'help');
}

async function printed(args: readonly string[]): Promise<string> {
  let text = '';
  const stdout = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    }),
    { columns: 100 },
  );
  const stderr = new Writable({ write: (_chunk, _encoding, done) => done() });
  await runCli(args, { stdin: Readable.from([]), stdout, stderr, env: {} });
  return text;
}
