import type { Command } from 'commander';
import { validateRun } from '../index.js';
import type { CommandContext } from './command-context.js';

const SHOWN = 100;

/** Adds `relflow validate`. */
export function validateCommand(program: Command, context: CommandContext): void {
  program
    .command('validate <paths...>')
    .summary('check runs or files against the JSON Schemas')
    .description(
      'Check output folders of runs, or single files, against the JSON Schemas; in folders also checksums, counts and ids. Exits with 1 when it finds a problem.',
    )
    .option('--json', 'print one line of JSON per problem')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow validate coco-graphs\n  relflow validate scene-graphs/00000.jsonl captions.json',
    )
    .action(async (paths: readonly string[], { json }: { json?: boolean }) => {
      let count = 0;
      for (const path of paths) {
        const before = count;
        for await (const problem of validateRun(path)) {
          count++;
          if (json) context.print(JSON.stringify(problem));
          else if (count <= SHOWN)
            context.print(`${problem.file}${problem.line ? `:${problem.line}` : ''}: ${problem.problem}`);
        }
        if (!json && count === before) context.print(`${path}: valid`);
      }
      if (!json && count > SHOWN) context.print(`… and ${count - SHOWN} more`);
      if (count > 0) context.exitCode = 1;
    });
}
