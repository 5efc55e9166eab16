import { createReadStream } from 'node:fs';
import { lstat, rename, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { checksum } from '../../files/checksum.js';
import { digest } from '../../files/digest.js';
import { FileWriter } from '../../files/file-writer.js';
import { makeFolder } from '../../files/make-folder.js';
import { parentsOf } from '../../files/own-entries.js';
import { isS3Address } from '../../files/s3/s3-address.js';
import { syncFolder } from '../../files/sync-folder.js';
import { wrapFileErrors } from '../../files/wrap-io-errors.js';
import { partialName } from '../../files/write-atomically.js';
import { removeExport, replacedName } from './check-output-folder.js';
import { ExportStaging, type FinishedFile, type FinishedSource } from './export-staging.js';
import type { ExportedFile } from './exported-file.js';
import { writeToStore } from './store-output.js';

/**
 * The files of an export. They are written under another name next to their place, and appear together when all of them are
 * complete and on disk.
 */
export class ExportOutput {
  readonly path: string;
  /** True if the files go to a store, which has no links. */
  readonly isInStore: boolean;
  /** Number of files that the same export had finished before it was interrupted. */
  reused = 0;
  readonly #isFolder: boolean;
  readonly #partial: string;
  readonly #staging: ExportStaging | null;
  readonly #files: ExportedFile[] = [];
  readonly #open = new Set<FileWriter>();
  readonly #scratches = new Set<string>();

  private constructor(path: string, partial: string, staging: ExportStaging | null) {
    this.path = path;
    this.isInStore = isS3Address(path);
    this.#isFolder = staging !== null;
    this.#partial = partial;
    this.#staging = staging;
  }

  /**
   * Prepares an export.
   * @param path the file or folder to write, or an `s3://` address, to which the complete files are uploaded
   * @param identity differs between exports that do not write the same files, see `ExportStaging`
   * @throws OutputError if its folder cannot be written
   */
  static open(path: string, isFolder: boolean, identity: unknown = null): Promise<ExportOutput> {
    return wrapFileErrors(path, async () => {
      const place = isS3Address(path) ? join(tmpdir(), `relflow-${digest(path).slice(0, 16)}-${basename(path)}`) : path;
      if (!isFolder) return new ExportOutput(path, partialName(place), null);
      const staging = await ExportStaging.open(place, digest(identity));
      return new ExportOutput(path, staging.folder, staging);
    });
  }

  /** The files that are complete, in the order of their completion. */
  get files(): readonly ExportedFile[] {
    return this.#files;
  }

  /**
   * Creates a file.
   * @param name path below the folder; ignored if the export is one file
   */
  async create(name: string): Promise<ExportFile> {
    const writer = await FileWriter.open(this.#pathOf(name), this.#finalPathOf(name));
    this.#open.add(writer);
    return {
      write: (piece) => writer.write(piece),
      writeBytes: (bytes) => writer.writeBytes(bytes),
      close: async () => {
        const written = await writer.close();
        this.#open.delete(writer);
        this.#files.push({ path: this.#nameOf(name), ...written });
      },
    };
  }

  /** Creates a temporary file, for a part of a file that comes after others. */
  async scratch(): Promise<Scratch> {
    // A name like those of other incomplete files, so that a run removes it too after its process was killed.
    const path = partialName(this.#isFolder ? join(this.#partial, 'scratch') : this.path);
    const writer = await FileWriter.open(path, this.path);
    this.#open.add(writer);
    this.#scratches.add(path);
    return {
      write: (piece) => writer.write(piece),
      appendTo: async (file) => {
        await writer.close();
        this.#open.delete(writer);
        for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) await file.writeBytes(chunk);
        await unlink(path);
      },
    };
  }

  /** Writes a file from pieces of text. */
  async write(name: string, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
    const file = await this.create(name);
    for await (const piece of pieces) await file.write(piece);
    await file.close();
  }

  /**
   * Returns the path for a file that a library writes by itself, in an existing folder; `add` counts it when it is complete.
   */
  async reserve(name: string): Promise<string> {
    const path = this.#pathOf(name);
    await wrapFileErrors(this.#finalPathOf(name), () => makeFolder(dirname(path)));
    return path;
  }

  /** Adds a file that a library has written to its reserved path. */
  async add(name: string): Promise<void> {
    this.#files.push({ path: this.#nameOf(name), ...(await checksum(this.#pathOf(name))) });
  }

  /** Returns a file that the same export finished before it was interrupted. */
  finished(reserved: string): FinishedFile | undefined {
    return this.#staging?.finished(reserved);
  }

  /**
   * Notes that a library has written a file to its reserved path, so that the same export need not write it again if it is
   * interrupted; only for an export of several files.
   */
  async finish(reserved: string, source: FinishedSource): Promise<void> {
    await wrapFileErrors(this.path, async () => this.#staging?.finish(reserved, source));
  }

  /** Adds a finished file under another name. */
  async addFinished(name: string, reserved: string): Promise<void> {
    const { bytes, sha256 } = this.finished(reserved) as FinishedFile;
    await wrapFileErrors(this.#finalPathOf(name), async () => this.#staging?.rename(reserved, name));
    this.#files.push({ path: name, bytes, sha256 });
  }

  /** Removes all files, to write them anew. */
  async restart(): Promise<void> {
    this.#files.length = 0;
    this.reused = 0;
    await wrapFileErrors(this.path, async () => this.#staging?.clear());
  }

  /** Creates a symbolic link to a file elsewhere. */
  async link(name: string, target: string): Promise<void> {
    await wrapFileErrors(this.#finalPathOf(name), async () => symlink(resolve(target), await this.reserve(name)));
    this.#files.push({ path: name });
  }

  /** Gives the files their names, in place of an earlier export, which is then removed. */
  async commit(): Promise<void> {
    if (this.isInStore) {
      await writeToStore(this.path, this.#files, { isFolder: this.#isFolder, path: this.#partial });
      await this.#removePartial();
      await this.#staging?.release();
      return;
    }
    await wrapFileErrors(this.path, async () => {
      await this.#staging?.close();
      if (this.#isFolder) await this.#syncFolders();
      const isReplacing = this.#isFolder && (await lstat(this.path).catch(() => null)) !== null;
      const replaced = replacedName(this.path);
      if (isReplacing) await rename(this.path, replaced);
      await rename(this.#partial, this.path);
      await syncFolder(dirname(this.path));
      if (isReplacing) await removeExport(replaced);
    });
    await this.#staging?.release();
  }

  async #syncFolders(): Promise<void> {
    const folders = new Set(this.#files.flatMap(({ path }) => parentsOf(path)));
    for (const folder of folders) await syncFolder(join(this.#partial, folder));
    await syncFolder(this.#partial);
  }

  /**
   * Removes what was written so far, after an error, unless the same export can use it again.
   * @returns how many finished files were kept
   */
  async abandon(): Promise<number> {
    for (const writer of this.#open) await writer.abandon();
    for (const path of this.#scratches) await unlink(path).catch(() => {});
    const kept = this.#staging?.finishedFiles ?? 0;
    if (kept === 0) await this.#removePartial();
    await this.#staging?.release();
    return kept;
  }

  /** Removes the files under their other name, at which only this process has written: it is a new one. */
  async #removePartial(): Promise<void> {
    await rm(this.#partial, { force: true, recursive: this.#isFolder }).catch(() => {});
  }

  #nameOf(name: string): string {
    return this.#isFolder ? name : basename(this.path);
  }

  #pathOf(name: string): string {
    return this.#isFolder ? join(this.#partial, name) : this.#partial;
  }

  #finalPathOf(name: string): string {
    return this.#isFolder ? join(this.path, name) : this.path;
  }
}

/** A file of an export that is being written. */
export interface ExportFile {
  /** Appends a text; awaited before the next one, so that memory stays bounded. */
  readonly write: (piece: string) => Promise<void>;
  readonly writeBytes: (bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A temporary file of an export. */
export interface Scratch {
  /** Appends a text; awaited before the next one. */
  readonly write: (piece: string) => Promise<void>;
  /** Appends the whole content to a file, and removes the temporary file. */
  readonly appendTo: (file: Pick<ExportFile, 'writeBytes'>) => Promise<void>;
}
