import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { evaluateParserCommand } from './evaluate-parser-command.js';
import { evaluatePredicatesCommand } from './evaluate-predicates-command.js';

/** Adds `relflow evaluate parser` and `relflow evaluate predicates`. */
export function evaluateCommand(program: Command, context: CommandContext): void {
  const evaluate = program
    .command('evaluate')
    .summary('score a parser or taggers against ground truth')
    .description('Score a parser or taggers against ground truth.');
  evaluatePredicatesCommand(evaluate, context);
  evaluateParserCommand(evaluate, context);
}
