import type { WrittenFile } from '../../files/file-writer.js';

/** A file of an export, by its path below the folder; for a format of one file, the base name of that file. */
export interface ExportedFile extends Partial<WrittenFile> {
  readonly path: string;
}
