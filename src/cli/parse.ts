import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { InputError, ruleParser } from '../index.js';
import { print } from './output.js';

/** `relflow parse [FILE]`. */
export function parseCommand(program: Command): void {
  program
    .command('parse [file]')
    .summary('read captions and print their graphs')
    .description(
      'Read one caption a line, from a file or standard input, and print one JSON line a caption: its text and its graph.',
    )
    .addHelpText('after', '\nExample:\n  echo "a man riding a horse" | relflow parse')
    .action(async (file: string | undefined) => {
      if (file !== undefined && !(await stat(file).catch(() => null))?.isFile())
        throw new InputError(file, 'no such file');
      const parser = ruleParser();
      const input = file === undefined ? process.stdin : createReadStream(file);
      for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        print(JSON.stringify({ caption: text, ...(await parser.parse(text)) }));
      }
    });
}
