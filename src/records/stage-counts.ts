import type { StageCounts } from './manifest.js';

/** Returns the counts of a stage that has processed nothing. */
export function emptyCounts(): StageCounts {
  return { in: 0, out: 0, filtered: 0, rejected: {}, counts: {} };
}

/** Adds the counts of `more` to `total`, which is changed, by node id. */
export function addStages(total: Record<string, StageCounts>, more: Readonly<Record<string, StageCounts>>): void {
  for (const [id, counts] of Object.entries(more)) {
    total[id] ??= emptyCounts();
    const into = total[id];
    into.in += counts.in;
    into.out += counts.out;
    into.filtered += counts.filtered;
    for (const [reason, by] of Object.entries(counts.rejected)) addCount(into.rejected, reason, by);
    for (const [name, by] of Object.entries(counts.counts)) addCount(into.counts, name, by);
  }
}

/** Increases the counter `name` by `by`. */
export function addCount(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by;
}

/** Returns the same counts with all names sorted, since branches may count in any order. */
export function sortStages(stages: Readonly<Record<string, StageCounts>>): Record<string, StageCounts> {
  const sorted = <T>(of: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(
    Object.fromEntries(
      Object.entries(stages).map(([id, counts]) => [
        id,
        { ...counts, rejected: sorted(counts.rejected), counts: sorted(counts.counts) },
      ]),
    ),
  );
}
