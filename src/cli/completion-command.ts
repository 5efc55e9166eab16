import { Argument, type Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { COMPLETE_WORDS, completionScripts, SHELLS } from './completion-scripts.js';
import { completions } from './completions.js';

/** Adds `relflow completion` and the hidden command that its scripts call. */
export function completionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .summary('print a script that completes commands and options')
    .description(
      'Print a script that completes commands, pipelines, options, their choices and paths in a shell. Completion runs no module and reads no configuration.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  eval "$(relflow completion bash)"\n  eval "$(relflow completion zsh)"\n  relflow completion fish | source',
    )
    .action((shell: (typeof SHELLS)[number]) => context.printText(completionScripts[shell].trimEnd()));
  program
    .command(`${COMPLETE_WORDS} [words...]`, { hidden: true })
    .description('Print what may follow the words of a command line; called by the scripts of relflow completion.')
    .action((words: readonly string[]) => {
      const { candidates, paths } = completions(program, words);
      for (const { text, about } of candidates) context.printColumns(text, about);
      context.print(`:${paths}`);
    });
}
