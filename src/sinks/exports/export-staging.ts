import { appendFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OutputError } from '../../errors.js';
import { checksum } from '../../files/checksum.js';
import type { WrittenFile } from '../../files/file-writer.js';
import { listNames } from '../../files/list-names.js';
import { lockFolder } from '../../files/lock-folder.js';
import { makeFolder } from '../../files/make-folder.js';
import { readSmallFile } from '../../files/read-small-file.js';
import { safeRelativePath } from '../../files/safe-relative-path.js';
import { uuidPattern } from '../../files/uuid-pattern.js';
import { partialName } from '../../files/write-atomically.js';
import type { NoteCount } from './note-counts.js';

/** The file in the folder that lists what is finished. */
const JOURNAL = 'relflow-export.journal.jsonl';

/** What a file of an export was made of. */
export interface FinishedSource {
  /** Number of scene graphs in the file; 0 if it is written again when the export is interrupted. */
  readonly graphs: number;
  /** The SHA-256 of these scene graphs and of what tells their images from others. */
  readonly source: string;
  /** Images that could not be used: how often by reason, and an example. */
  readonly notes: Readonly<Record<string, NoteCount>>;
}

/** A file that an export has finished. */
export interface FinishedFile extends WrittenFile, FinishedSource {
  /** Path below the folder. */
  readonly path: string;
}

/** Reports that the scene graphs or images are no longer those of the finished files. */
export class StaleStagingError extends Error {}

/**
 * The folder in which an export is made before it gets its name. What the same export had finished there when its process was
 * killed, or when it failed, is used again; what another export to the same place left is removed.
 */
export class ExportStaging {
  readonly folder: string;
  readonly #identity: string;
  readonly #finished: Map<string, FinishedFile>;
  readonly #release: () => Promise<void>;

  private constructor(
    folder: string,
    identity: string,
    finished: readonly FinishedFile[],
    release: () => Promise<void>,
  ) {
    this.folder = folder;
    this.#identity = identity;
    this.#finished = new Map(finished.map((file) => [file.path, file]));
    this.#release = release;
  }

  /**
   * @param path the folder that the export will become
   * @param identity differs between exports that do not write the same files
   */
  static async open(path: string, identity: string): Promise<ExportStaging> {
    await makeFolder(dirname(path));
    let found: ExportStaging | null = null;
    for (const folder of await interrupted(path)) {
      const release = await lock(folder);
      if (release === null) continue;
      const journal = await readJournal(folder);
      if (journal?.identity === identity && found === null) {
        const finished = await intact(folder, journal.finished);
        found = new ExportStaging(folder, identity, finished, release);
        await found.#keepFinished();
      } else {
        await rm(folder, { recursive: true, force: true });
        await release();
      }
    }
    if (found) return found;
    const folder = partialName(path);
    // Locked before it exists, so that no process takes it for one that was left.
    const release = await lock(folder);
    await makeFolder(folder);
    const staging = new ExportStaging(folder, identity, [], release ?? (async () => {}));
    await staging.#writeJournal();
    return staging;
  }

  /** Number of files that need not be written again. */
  get finishedFiles(): number {
    return [...this.#finished.values()].filter(({ graphs }) => graphs > 0).length;
  }

  /** Returns a file that was finished before. */
  finished(path: string): FinishedFile | undefined {
    return this.#finished.get(path);
  }

  /** Notes that a file is finished. */
  async finish(path: string, source: FinishedSource): Promise<void> {
    const file = { path, ...(await checksum(join(this.folder, path))), ...source };
    this.#finished.set(path, file);
    if (source.graphs > 0) await this.#append(file);
  }

  /** Renames a finished file. */
  async rename(path: string, name: string): Promise<void> {
    // Noted first: if the process ends in between, the file has still its old name.
    if (this.#finished.get(path)?.graphs) await this.#append({ path, renamed: name });
    await rename(join(this.folder, path), join(this.folder, name));
  }

  /** Removes all files, after what they were made of has changed. */
  async clear(): Promise<void> {
    this.#finished.clear();
    await this.#keepFinished();
  }

  /** Ends the work in the folder, which is to be renamed. */
  async close(): Promise<void> {
    await rm(join(this.folder, JOURNAL), { force: true });
  }

  /** Lets other processes use the folder, if it is still there. */
  async release(): Promise<void> {
    await this.#release();
  }

  async #keepFinished(): Promise<void> {
    for (const entry of await readdir(this.folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(this.folder.length + 1).replaceAll('\\', '/');
      if (!entry.isDirectory() && !this.#finished.has(name)) await rm(path, { force: true });
    }
    await this.#writeJournal();
  }

  async #writeJournal(): Promise<void> {
    const lines = [{ identity: this.#identity }, ...this.#finished.values()].map((line) => `${JSON.stringify(line)}\n`);
    const file = join(this.folder, JOURNAL);
    await writeFile(`${file}.new`, lines.join(''));
    await rename(`${file}.new`, file);
  }

  #append(line: object): Promise<void> {
    return appendFile(join(this.folder, JOURNAL), `${JSON.stringify(line)}\n`);
  }
}

/** Locks a folder; null if another process works in it. */
async function lock(folder: string): Promise<(() => Promise<void>) | null> {
  try {
    return await lockFolder(folder, `${folder}.lock`);
  } catch (error) {
    if (error instanceof OutputError) return null;
    throw error;
  }
}

/** Returns the folders of exports to a path that have not got their name. */
async function interrupted(path: string): Promise<string[]> {
  const pattern = new RegExp(String.raw`\.${uuidPattern}\.partial$`);
  const names = (await listNames(dirname(path))).filter(
    (name) => pattern.test(name) && name.replace(pattern, '') === basename(path),
  );
  const folders: string[] = [];
  for (const name of names.sort()) {
    const folder = join(dirname(path), name);
    if ((await stat(folder).catch(() => null))?.isDirectory()) folders.push(folder);
  }
  return folders;
}

interface Journal {
  readonly identity: string;
  readonly finished: readonly (FinishedFile & { readonly renamed?: string })[];
}

/** Reads a journal up to a line that was cut off; null if there is none. */
async function readJournal(folder: string): Promise<Journal | null> {
  const text = await readSmallFile(join(folder, JOURNAL)).catch(() => '');
  const [first, ...lines] = text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Partial<FinishedFile> & { identity?: unknown; renamed?: string }];
    } catch {
      return [];
    }
  });
  if (typeof first?.identity !== 'string') return null;
  const finished = new Map<string, FinishedFile & { renamed?: string }>();
  for (const { path, ...line } of lines) {
    if (typeof path !== 'string' || safeRelativePath(path) !== path) continue;
    const known = finished.get(path);
    if (typeof line.sha256 === 'string') finished.set(path, { ...line, path } as FinishedFile);
    else if (known && typeof line.renamed === 'string' && safeRelativePath(line.renamed) === line.renamed)
      known.renamed = line.renamed;
  }
  return { identity: first.identity, finished: [...finished.values()] };
}

/** Returns the files that have the content they were finished with, under their first name. */
async function intact(folder: string, files: Journal['finished']): Promise<FinishedFile[]> {
  const found: FinishedFile[] = [];
  for (const { renamed, ...file } of files) {
    const path = join(folder, file.path);
    if (renamed !== undefined) await rename(join(folder, renamed), path).catch(() => {});
    const content = await checksum(path).catch(() => null);
    if (content?.bytes === file.bytes && content.sha256 === file.sha256) found.push(file);
  }
  return found;
}
