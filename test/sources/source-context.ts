import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source, SourceContext, SourceItem, SourceProgress } from '../../src/records/ports.js';

/** A folder for one test file's inputs and spilled data, made before its tests and removed after them. */
export function testFolder(): { readonly path: string; at(name: string): string } {
  const folder = { path: '', at: (name: string) => join(folder.path, name) };
  before(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'relflow-test-'));
  });
  after(() => rm(folder.path, { recursive: true }));
  return folder;
}

/** A context that spills below `tempDir` and keeps what it is told of progress. */
export function contextIn(
  tempDir: string,
  signal = new AbortController().signal,
): SourceContext & { told: SourceProgress[] } {
  const told: SourceProgress[] = [];
  return { signal, tempDir, told, progress: (progress) => told.push(progress) };
}

/** Every item of a source. */
export async function itemsOf<R>(source: Source<R>, context: SourceContext): Promise<SourceItem<R>[]> {
  const items: SourceItem<R>[] = [];
  for await (const item of source.read(context)) items.push(item);
  return items;
}

/** The records among a source's items. */
export function recordsIn<R>(items: readonly SourceItem<R>[]): R[] {
  return items.flatMap(({ record }) => record ?? []);
}

/** The reasons of all rejects, in order. */
export function reasonsIn(items: readonly SourceItem<unknown>[]): string[] {
  return items.flatMap(({ rejects = [] }) => rejects.map(({ reason }) => reason));
}

/** What lies in a folder. */
export function listed(folder: string): Promise<string[]> {
  return readdir(folder);
}
