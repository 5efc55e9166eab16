import type { Command } from 'commander';
import { validateRun } from '../index.js';
import type { CommandContext } from './command-context.js';

const SHOWN = 100;

/** Adds `relflow validate`. */
export function validateCommand(program: Command, context: CommandContext): void {
  program
    .command('validate <paths...>')
    .summary('check runs, or any files that relflow reads or writes')
    .description(
      'Check output folders of runs against the JSON Schemas, their checksums, counts and ids; or single files of any kind that relflow reads or writes, which their content decides. Inputs are read as a run reads them, without images. Exits with 1 when it finds a problem, something in an input is rejected, or nothing in it can be used.',
    )
    .option('--json', 'print one line of JSON per problem')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow validate coco-graphs\n  relflow validate scene-graphs/00000.jsonl instances.json captions.csv words.json',
    )
    .action(async (paths: readonly string[], { json }: { json?: boolean }) => {
      let count = 0;
      for (const path of paths) {
        const before = count;
        let kind: string | undefined;
        const onKind = (found: string) => {
          kind = found;
        };
        for await (const problem of validateRun(path, onKind)) {
          count++;
          if (json) context.print(JSON.stringify(problem));
          else if (count <= SHOWN)
            context.print(`${problem.file}${problem.line ? `:${problem.line}` : ''}: ${problem.problem}`);
        }
        if (!json && count === before) context.print(`${path}: valid${kind === undefined ? '' : `: ${kind}`}`);
      }
      if (!json && count > SHOWN) context.print(`… and ${count - SHOWN} more`);
      if (count > 0) context.exitCode = 1;
    });
}
