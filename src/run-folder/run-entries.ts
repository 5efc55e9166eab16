import { readFile } from 'node:fs/promises';
import { InputError, OutputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { nameEntries, removeEntries, type SortedEntries, sortEntries } from '../files/own-entries.js';
import { safeRelativePath } from '../files/safe-relative-path.js';
import type { Manifest } from '../records/manifest.js';
import type { RunState } from '../records/run-state.js';
import { isIntermediate, isTemporary, ownPaths } from './own-paths.js';
import { REJECTS, type RunFolder } from './run-folder.js';

/**
 * Sorts the entries of a run's folder by whether the run wrote them, as its graph, markers and manifest say. A file of a
 * finisher that was changed since, and a `manifest.json` or `report.json` of other content, are the user's.
 *
 * @param finisherFiles names of the files that the finishers of the run's graph write
 */
async function runEntries(folder: RunFolder, finisherFiles: readonly string[]): Promise<SortedEntries> {
  const state = await folder.state();
  const manifest = await folder.manifest().catch((error: unknown) => {
    if (error instanceof InputError) return null;
    throw error;
  });
  const sinks = sinksOf(state);
  const listed = filesOfFinishers(manifest, sinks);
  const files = [...new Set([...finisherFiles, ...listed.keys()])];
  const sorted = await sortEntries(folder.path, ownPaths({ sinks: state ? sinks : [], files }));
  const foreign: string[] = [];
  for (const path of sorted.files) {
    const known = listed.get(path);
    const isOwn =
      path === 'manifest.json'
        ? manifest !== null
        : path === 'report.json'
          ? await isReport(folder.pathTo(path))
          : known === undefined || (await checksum(folder.pathTo(path))).sha256 === known;
    if (!isOwn) foreign.push(path);
  }
  return {
    ...sorted,
    files: sorted.files.filter((path) => !foreign.includes(path)),
    foreign: [...foreign, ...sorted.foreign],
  };
}

/**
 * Checks that a folder contains only what a run of relflow wrote.
 * @throws OutputError naming other entries, or links among the run's own
 */
export async function checkOnlyRun(folder: RunFolder, finisherFiles: readonly string[]): Promise<void> {
  const { foreign, links } = await runEntries(folder, finisherFiles);
  refuseLinks(folder, links);
  if (foreign.length === 0) return;
  throw new OutputError(
    folder.path,
    `contains files that its run did not write: ${nameEntries(foreign)}; move them away, or choose another folder`,
  );
}

/**
 * Checks that no file or folder of a run is a link, through which files elsewhere would be read or written.
 * @throws OutputError naming the links
 */
export async function checkNoLinks(folder: RunFolder, finisherFiles: readonly string[]): Promise<void> {
  const own = ownPaths({ sinks: sinksOf(await folder.state()), files: finisherFiles });
  refuseLinks(folder, (await sortEntries(folder.path, own)).links);
}

/** Removes what a run wrote, except its lock; entries of others stay. */
export async function removeRun(folder: RunFolder, finisherFiles: readonly string[]): Promise<void> {
  const { files, folders } = await runEntries(folder, finisherFiles);
  // In this order, so that a process killed here leaves neither a file that no marker or manifest names any more nor a
  // marker of a removed file.
  const rank = (path: string) => ORDER.findIndex((pattern) => pattern.test(path));
  const ordered = [...files].filter((path) => path !== STATE).sort((a, b) => rank(a) - rank(b));
  await removeEntries(folder.path, { files: ordered, folders: folders.filter((path) => path !== '.relflow') });
}

const STATE = '.relflow/run.json';
const ORDER = [
  /^(?!manifest\.json$|report\.json$|\.relflow\/|[a-z][a-z0-9-]*\/\d{5,}\.jsonl)/,
  /^manifest\.json$/,
  /^\.relflow\/shards\//,
  /^/,
];

/** Removes the files of processes that were killed. */
export async function removeTemporaryFiles(folder: RunFolder, finisherFiles: readonly string[]): Promise<void> {
  await removeWhere(folder, finisherFiles, isTemporary);
}

/** Removes the files of the shard in progress, and those of shards that processes left when they were killed. */
export async function removePartial(folder: RunFolder): Promise<void> {
  await removeWhere(folder, [], (path) => /^\.relflow\/partial(?:\/|$)/.test(path));
}

/** Removes files that only an unfinished run needs, other than `queue.json`, and the files of processes that were killed. */
export async function removeIntermediate(folder: RunFolder, finisherFiles: readonly string[]): Promise<void> {
  await removeWhere(folder, finisherFiles, (path) => isTemporary(path) || isIntermediate(path));
}

async function removeWhere(
  folder: RunFolder,
  finisherFiles: readonly string[],
  wanted: (path: string) => boolean,
): Promise<void> {
  const { files, folders } = await sortEntries(folder.path, ownPaths({ sinks: [], files: finisherFiles }));
  await removeEntries(folder.path, { files: files.filter(wanted), folders: folders.filter(wanted) });
}

function refuseLinks(folder: RunFolder, links: readonly string[]): void {
  if (links.length === 0) return;
  throw new OutputError(
    folder.path,
    `${nameEntries(links)} ${links.length === 1 ? 'is a link' : 'are links'}, expected files and folders of the run itself; replace links by what they point to`,
  );
}

/** Returns the names of the sinks of a run, also of its rejects. */
export function sinksOf(state: RunState | null): string[] {
  const sinks = (state?.graph ?? []).filter(({ kind }) => kind === 'sink');
  return [...sinks.map(({ id }) => id), REJECTS];
}

/** Returns the checksums of the files in a manifest that no sink wrote, by path. */
function filesOfFinishers(manifest: Manifest | null, sinks: readonly string[]): Map<string, string> {
  const files = (manifest?.files ?? []).filter(
    ({ sink, path }) => !sinks.includes(sink) && safeRelativePath(path) === path && !path.startsWith('.relflow/'),
  );
  return new Map(files.map(({ path, sha256 }) => [path, sha256]));
}

async function isReport(file: string): Promise<boolean> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { format?: unknown }).format === 'relflow.report/1';
  } catch {
    return false;
  }
}
