import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import { printFactual, toFactual } from '../evaluation/index.js';
import { isFile } from '../files/is-file.js';
import { streamLines } from '../files/stream-lines.js';
import { InputError, type TextGraph } from '../index.js';
import { textParser } from '../parser/text-parser.js';
import type { CommandContext } from './command-context.js';
import { parserOption } from './parser-option.js';
import { number } from './recipes.js';

interface Flags {
  readonly format: keyof typeof FORMATS;
  readonly parser: string;
  readonly minConfidence: number;
}

/** Adds `relflow parse`. */
export function parseCommand(program: Command, context: CommandContext): void {
  program
    .command('parse [file]')
    .summary('parse captions into scene graphs')
    .description(
      'Parse one caption per line, from a file or standard input, and print one line per caption: its text and graph as JSON, or its facts in the notation of FACTUAL.',
    )
    .addOption(
      new Option('-f, --format <format>', 'json, or factual, e.g. ( man , ride , horse )')
        .choices(Object.keys(FORMATS))
        .default('json'),
    )
    .addOption(parserOption())
    .addOption(
      new Option('--min-confidence <number>', 'drop relations below this confidence of the neural parser')
        .argParser(number)
        .default(0),
    )
    .addHelpText('after', '\nExample:\n  echo "a man riding a horse" | relflow parse --format factual')
    .action(async (file: string | undefined, { format, parser: name, minConfidence }: Flags) => {
      if (file !== undefined && !(await isFile(file))) throw new InputError(file, 'no such file');
      const parser = textParser(name, { minConfidence });
      const input = file === undefined ? context.stdin : createReadStream(file);
      for await (const text of streamLines(file ?? 'standard input', input))
        context.print(FORMATS[format](text, await parser.parse(text)));
    });
}

/** Formats the output line of a caption. */
const FORMATS = {
  json: (caption: string, graph: TextGraph) => JSON.stringify({ caption, ...graph }),
  /** An empty line when the caption has no facts. */
  factual: (_: string, graph: TextGraph) => printFactual(toFactual(graph)),
};
