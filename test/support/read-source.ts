import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Source, SourceContext, SourceItem, SourceProgress } from '../../src/records/ports.js';
import { temporaryFolder } from './folders.js';

/** The progress that a source has reported. */
export interface Reading<R> {
  readonly items: readonly SourceItem<R>[];
  readonly records: readonly R[];
  /** The reasons of all rejects, in order. */
  readonly reasons: readonly string[];
  /** The counts of all items together. */
  readonly counts: Readonly<Record<string, number>>;
  readonly progress: readonly SourceProgress[];
}

/** Makes the context of one reading, with a new folder for spilled data. */
export function sourceContext(signal = new AbortController().signal): SourceContext & { reports: SourceProgress[] } {
  const reports: SourceProgress[] = [];
  return { signal, tempDir: temporaryFolder(), reports, progress: (progress) => reports.push(progress) };
}

/** Reads a source to its end and checks that it deletes its spilled data. */
export async function readSource<R>(source: Source<R>): Promise<Reading<R>> {
  const context = sourceContext();
  const items: SourceItem<R>[] = [];
  const counts: Record<string, number> = {};
  for await (const item of source.read(context)) {
    items.push(item);
    for (const [name, by] of Object.entries(item.counts ?? {})) counts[name] = (counts[name] ?? 0) + by;
  }
  assert.deepEqual(readdirSync(context.tempDir), []);
  const records = items.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const reasons = items.flatMap(({ rejects = [] }) => rejects.map(({ reason }) => reason));
  return { items, records, reasons, counts, progress: context.reports };
}
