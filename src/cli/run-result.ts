import type { ModelUsage, RunResult } from '../index.js';
import type { CommandContext } from './command-context.js';
import { table } from './table.js';

/** Returns what `--json` prints about a run. */
export function summary({ folder, manifest, records, stages, usage, seconds }: RunResult): Record<string, unknown> {
  return {
    out: folder.path,
    finished: manifest !== null,
    records,
    seconds,
    load: stages,
    ...(Object.keys(usage).length > 0 && { usage }),
    counts: manifest?.stages ?? null,
  };
}

/** Prints the result of a run. */
export function showResult(
  context: CommandContext,
  { folder, manifest, records, stages, usage, seconds }: RunResult,
): void {
  const rows = Object.entries(stages).map(([id, load]) => [
    id,
    load.in,
    load.out,
    load.filtered,
    load.rejected,
    `${(load.milliseconds / 1000).toFixed(2)} s`,
    load.milliseconds > 0 ? Math.round((load.in / load.milliseconds) * 1000) : 0,
  ]);
  if (rows.length > 0) context.print(table(['stage', 'in', 'out', 'filtered', 'rejected', 'time', 'records/s'], rows));
  showUsage(usage, (line) => context.print(line));
  for (const [id, { rejected }] of Object.entries(manifest?.stages ?? {})) {
    for (const [reason, count] of Object.entries(rejected)) context.print(`rejected by ${id}: ${count} × ${reason}`);
  }
  if (manifest) context.print(`${records} records in ${seconds.toFixed(1)} s → ${folder.path}`);
  else context.print(`stopped after ${records} records, which are kept; to continue: relflow resume ${folder.path}`);
}

/** Writes the requests to models, one line per stage. */
export function showUsage(usage: ModelUsage, write: (line: string) => void): void {
  for (const [stage, amounts] of Object.entries(usage)) {
    const used = Object.entries(amounts).filter(([, amount]) => amount > 0);
    const words = used.map(([name, amount]) => `${amountText(amount)} ${USAGE_WORDS[name] ?? name}`);
    write(`${stage}: ${words.join(', ') || 'no requests'}`);
  }
}

const USAGE_WORDS: Readonly<Record<string, string>> = {
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  spend: 'spent',
};

const amountText = (amount: number) => amount.toLocaleString('en-US', { maximumFractionDigits: 4 });
