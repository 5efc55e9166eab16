import type { ModelUsage, RunResult } from '../index.js';
import type { OutputFile } from '../records/manifest.js';
import { recordsPerSecond } from '../runs/run-report.js';
import { countOf, emptyMessage, numberText, type RunSummary } from '../runs/run-summary.js';
import { noteText } from '../sinks/exports/note-text.js';
import type { CommandContext } from './command-context.js';

/** Returns what `--json` prints about a run. */
export function summary({
  folder,
  manifest,
  records,
  stages,
  usage,
  seconds,
  summary: made,
}: RunResult): Record<string, unknown> {
  const exports = exportNotes(manifest?.files ?? []);
  return {
    out: folder.path,
    finished: manifest !== null,
    records,
    seconds,
    load: stages,
    ...(Object.keys(usage).length > 0 && { usage }),
    counts: manifest?.stages ?? null,
    ...(exports.length > 0 && { exports }),
    summary: made,
  };
}

/** Prints the result of a run. */
export function showResult(
  context: CommandContext,
  { folder, manifest, records, stages, usage, seconds, summary: made }: RunResult,
): void {
  const rows = Object.entries(stages).map(([id, load]) => [
    id,
    load.in,
    load.out,
    load.filtered,
    load.rejected,
    timeText(load.milliseconds / 1000, usage[id]?.['waitedSeconds']),
    recordsPerSecond(load, usage[id]) ?? 0,
  ]);
  if (rows.length > 0) context.printTable(['stage', 'in', 'out', 'filtered', 'rejected', 'time', 'records/s'], rows);
  showUsage(usage, (line) => context.print(line));
  const inSummary = new Set(made?.findings.map(({ stage, reason }) => `${stage} ${reason}`));
  for (const [id, { rejected }] of Object.entries(manifest?.stages ?? {}))
    for (const [reason, count] of Object.entries(rejected))
      if (!inSummary.has(`${id} ${reason}`)) context.print(`rejected by ${id}: ${count} × ${reason}`);
  if (made) printSummary(context, made);
  printExportNotes(context, manifest?.files ?? []);
  if (manifest) context.print(`${countOf(records, 'records')} in ${seconds.toFixed(1)} s → ${folder.path}`);
  else
    context.print(
      `stopped after ${countOf(records, 'records')}, which ${records === 1 ? 'is' : 'are'} kept; to continue: relflow resume ${folder.path}`,
    );
}

/** Returns what the formats of a run's exports could not carry, by file. */
export function exportNotes(files: readonly OutputFile[]) {
  return files.flatMap(({ path, notes }) => (notes ? [{ path, notes }] : []));
}

/** Prints what the formats of a run's exports could not carry. */
export function printExportNotes(context: CommandContext, files: readonly OutputFile[]): void {
  for (const { path, notes } of exportNotes(files))
    for (const [reason, note] of Object.entries(notes)) context.printNote(`${path}: ${noteText(reason, note)}`);
}

/** Describes the seconds that a stage has worked and those that it only waited. */
function timeText(seconds: number, waited = 0): string {
  const shown = Math.min(waited, seconds);
  return shown < 0.1 ? `${seconds.toFixed(2)} s` : `${(seconds - shown).toFixed(2)} s + ${shown.toFixed(1)} s waiting`;
}

/** Prints what a run has written and what went missing on the way. */
export function printSummary(context: CommandContext, made: RunSummary): void {
  const [counts = '', ...findings] = summaryLines(made);
  context.printStyled('bold', counts);
  for (const line of findings) {
    if (line.startsWith('- ')) context.printStyled('yellow', line);
    else context.print(line);
  }
}

/** Describes the output of a run: one line for images and relations, and two for each finding. */
function summaryLines({ images, imagesWritten, imagesWithRelations, relations, findings }: RunSummary): string[] {
  const counts = [`images: ${numberText(images)} read, ${numberText(imagesWritten)} written`];
  if (imagesWithRelations !== null) counts.push(`${numberText(imagesWithRelations)} with relations`);
  if (relations !== null) counts.push(`relations: ${numberText(relations)}`);
  return [
    counts.join(', '),
    ...findings.flatMap(({ count, of, message, examples, advice }) => {
      const share = of ? ` (${Math.round((100 * count) / of)} %)` : '';
      const shown = examples.length > 0 ? `: ${examples.join(', ')}` : '';
      return [`- ${message}${share}${shown}`, `    → ${advice}`];
    }),
  ];
}

/**
 * Makes the command exit with 1 when a run has written no images or no relations.
 *
 * @param what the output folder, or the pipeline before its run
 */
export function failIfEmpty(context: CommandContext, what: string, made: RunSummary, allowEmpty = false): void {
  const problem = emptyMessage(made);
  if (problem === null || allowEmpty) return;
  context.printError(`${what}: ${problem} (--allow-empty accepts this)`);
  context.exitCode = 1;
}

/** The description of `--allow-empty`. */
export const ALLOW_EMPTY = 'exit with 0 even if the run writes no images or no relations';

/** Writes the requests to models, one line per stage. */
export function showUsage(usage: ModelUsage, write: (line: string) => void): void {
  for (const [stage, amounts] of Object.entries(usage)) {
    // The table of stages shows the time that was waited.
    const used = Object.entries(amounts).filter(([name, amount]) => amount > 0 && name !== 'waitedSeconds');
    const words = used.map(([name, amount]) => `${amountText(amount)} ${USAGE_WORDS[name] ?? name}`);
    write(`${stage}: ${words.join(', ') || 'no requests'}`);
  }
}

const USAGE_WORDS: Readonly<Record<string, string>> = {
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  spend: 'spent',
  imagesPerSecond: 'images/s',
  deviceWaited: 'of the time without an image for the model',
  warmUpSeconds: 's for their warm-up',
};

const amountText = (amount: number) => amount.toLocaleString('en-US', { maximumFractionDigits: 4 });
