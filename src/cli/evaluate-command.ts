import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { evaluateHicoCommand } from './evaluate-hico-command.js';
import { evaluateJudgedCommand } from './evaluate-judged-command.js';
import { evaluateOpenImagesCommand } from './evaluate-open-images-command.js';
import { evaluateParserCommand } from './evaluate-parser-command.js';
import { evaluatePredicatesCommand } from './evaluate-predicates-command.js';
import { evaluateSceneGraphsCommand } from './evaluate-scene-graphs-command.js';
import { evaluateVcocoCommand } from './evaluate-vcoco-command.js';

/** Adds `relflow evaluate`. */
export function evaluateCommand(program: Command, context: CommandContext): void {
  const evaluate = program
    .command('evaluate')
    .summary('score predictions on benchmarks, a parser, taggers or judged relations')
    .description(
      'Score predictions on benchmarks, a parser or taggers against ground truth, or relations by the judgments of a person.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  relflow evaluate hico predictions.jsonl test_hico.json --training trainval_hico.json',
    );
  evaluateHicoCommand(evaluate, context);
  evaluateVcocoCommand(evaluate, context);
  evaluateOpenImagesCommand(evaluate, context);
  evaluateSceneGraphsCommand(evaluate, context);
  evaluatePredicatesCommand(evaluate, context);
  evaluateParserCommand(evaluate, context);
  evaluateJudgedCommand(evaluate, context);
}
