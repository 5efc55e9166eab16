import type { Command } from 'commander';
import {
  evaluateRelationJudgments,
  type JudgedGroup,
  type RejectedRow,
  relationJudgments,
} from '../evaluation/index.js';
import { InputError } from '../index.js';
import { noteBadRows } from './bad-rows.js';
import type { CommandContext } from './command-context.js';
import { percent } from './percent.js';

/** Adds `relflow evaluate judged`. */
export function evaluateJudgedCommand(evaluate: Command, context: CommandContext): void {
  evaluate
    .command('judged <file>')
    .summary('precision of relations that a person judged by eye')
    .description(
      'Print the precision of relations from the file of `relflow sample` that a person filled in: the share that holds for its very pair of boxes, with 95 % intervals, by how often the categories occur in the image, by what the predicate says, by source and by confidence. Rows with ? or without a judgment are counted and left out.',
    )
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  relflow evaluate judged sheet/relations.csv')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const badRows: RejectedRow[] = [];
      const rows = await relationJudgments(file, (row) => badRows.push(row));
      const evaluation = evaluateRelationJudgments(rows);
      if (evaluation.pair.of === 0) {
        noteBadRows(context, file, badRows);
        throw new InputError(file, 'no row has yes or no in the column pair');
      }
      if (json) {
        context.print(JSON.stringify({ ...evaluation, badRows }));
        return;
      }
      const { relations, images, unjudged, unsure, match, triplet, pair } = evaluation;
      context.printTable(
        ['images', 'relations', 'match %', 'triplet %', 'pair %', 'unsure', 'not judged'],
        [[images, relations, percent(match), percent(triplet), percent(pair), unsure, unjudged]],
      );
      const show = (head: string, groups: readonly JudgedGroup[]) => {
        context.print('');
        context.printTable(
          [head, 'judged', 'pair %', 'mean confidence'],
          groups.map(({ group, pair: share, meanConfidence }) => [
            group,
            share.of,
            percent(share),
            meanConfidence === null ? '–' : meanConfidence.toFixed(2),
          ]),
        );
      };
      show('boxes of the two categories', evaluation.byRepetition);
      show('predicate', evaluation.byKind);
      show('source', evaluation.bySource);
      show('confidence', evaluation.byConfidence);
      noteBadRows(context, file, badRows);
    });
}
