import { createHash } from 'node:crypto';
import { wrapFileErrors } from '../../files/wrap-io-errors.js';
import type { ExportOutput } from './export-output.js';
import { type FinishedSource, StaleStagingError } from './export-staging.js';
import { NoteCounts } from './note-counts.js';
import type { SchemaElement } from './parquet-schema.js';

/** A row: values by the name of their column. */
export type ParquetRow = Readonly<Record<string, unknown>>;

/** A row with an embedded image. */
export interface RowWithImage {
  readonly row: ParquetRow;
  /** Size of the image in bytes. */
  readonly bytes: number;
  /** Why the image cannot be used, if it cannot. */
  readonly refused: { readonly reason: string; readonly file: string } | null;
}

/** Limits of a file and of a row group, in rows and in bytes of embedded images. */
const FILE = { rows: 200_000, bytes: 400 << 20 };
const GROUP = { rows: 1000, bytes: 32 << 20 };

/**
 * Writes rows to Parquet files of bounded size, named as Hugging Face names shards: `data/train-00000-of-00002.parquet`. A
 * row group is held in memory, never a file.
 */
export class ParquetShards {
  readonly #output: ExportOutput;
  readonly #name: string;
  readonly #schema: SchemaElement[];
  readonly #columns: readonly string[];
  readonly #metadata: { key: string; value: string }[];
  #rows: ParquetRow[] = [];
  #groupBytes = 0;
  #file: { path: string; reserved: string; writer: ParquetFile; rows: number; bytes: number } | null = null;
  readonly #reserved: string[] = [];
  /** What the next file is made of. */
  #source = new SourceDigest();

  /**
   * @param name name of the split
   * @param schema the elements of the Parquet schema, the root first
   */
  constructor(output: ExportOutput, name: string, schema: SchemaElement[], metadata: Readonly<Record<string, string>>) {
    this.#output = output;
    this.#name = name;
    this.#schema = schema;
    this.#columns = topLevelNames(schema);
    this.#metadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  }

  /**
   * Adds a row.
   * @param bytes size of its embedded image
   */
  async add(row: ParquetRow, bytes = 0): Promise<void> {
    this.#rows.push(row);
    this.#groupBytes += bytes;
    if (this.#rows.length >= GROUP.rows || this.#groupBytes >= GROUP.bytes) await this.#writeGroup();
  }

  /**
   * Adds a row whose image is read only if the same export has not written the row before it was interrupted.
   * @param key differs between rows that are not the same
   * @returns what to count of images that cannot be used
   * @throws StaleStagingError if the rows are not those of the finished files
   */
  async addOnce(key: string, make: () => Promise<RowWithImage>): Promise<FinishedSource['notes']> {
    this.#source.add(key);
    const finished = this.#output.finished(this.#nextFile());
    if (!finished || this.#file || this.#rows.length > 0) {
      const { row, bytes, refused } = await make();
      if (refused) this.#source.note(refused.reason, refused.file);
      await this.add(row, bytes);
      return refused ? { [refused.reason]: { count: 1, example: refused.file } } : {};
    }
    if (this.#source.graphs < finished.graphs) return {};
    if (this.#source.take().source !== finished.source) throw new StaleStagingError();
    this.#reserved.push(finished.path);
    this.#output.reused++;
    return finished.notes;
  }

  /** Completes the files, at least one, and gives them their names. */
  async close(): Promise<void> {
    if (!this.#file && this.#rows.length === 0 && this.#output.finished(this.#nextFile()))
      throw new StaleStagingError();
    if (this.#rows.length > 0 || this.#reserved.length === 0) await this.#writeGroup();
    await this.#closeFile();
    const count = String(this.#reserved.length).padStart(5, '0');
    for (const [index, reserved] of this.#reserved.entries())
      await this.#output.addFinished(
        `data/${this.#name}-${String(index).padStart(5, '0')}-of-${count}.parquet`,
        reserved,
      );
  }

  async #writeGroup(): Promise<void> {
    this.#file ??= await this.#openFile();
    const { writer, path } = this.#file;
    const rows = this.#rows;
    const columnData = this.#columns.map((name) => ({ name, data: rows.map((row) => row[name]), offsetIndex: false }));
    await wrapFileErrors(path, async () => writer.write({ columnData, rowGroupSize: GROUP.rows }));
    this.#file.rows += rows.length;
    this.#file.bytes += this.#groupBytes;
    this.#rows = [];
    this.#groupBytes = 0;
    if (this.#file.rows >= FILE.rows || this.#file.bytes >= FILE.bytes) await this.#closeFile();
  }

  async #openFile() {
    // Imported here because only this format needs it.
    const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
    const reserved = this.#nextFile();
    const path = await this.#output.reserve(reserved);
    this.#reserved.push(reserved);
    const writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: this.#schema,
      kvMetadata: this.#metadata,
      createdBy: 'relflow',
      // Readers of whole sets do not use them, and they cost a tenth of the time.
      statistics: false,
    });
    return { path, reserved, writer, rows: 0, bytes: 0 };
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    await wrapFileErrors(file.path, async () => file.writer.finish());
    this.#file = null;
    await this.#output.finish(file.reserved, this.#source.take());
  }

  #nextFile(): string {
    return `data/${this.#name}-${this.#reserved.length}.parquet`;
  }
}

/** Collects what a file is made of. */
class SourceDigest {
  graphs = 0;
  #hash = createHash('sha256');
  #notes = new NoteCounts();

  add(key: string): void {
    this.graphs++;
    this.#hash.update(key).update('\n');
  }

  note(reason: string, example: string): void {
    this.#notes.add(reason, example);
  }

  /** Returns what was collected, and begins anew. */
  take(): FinishedSource {
    const source = {
      graphs: this.graphs,
      source: this.#hash.digest('hex'),
      notes: Object.fromEntries(this.#notes.counts),
    };
    this.graphs = 0;
    this.#hash = createHash('sha256');
    this.#notes = new NoteCounts();
    return source;
  }
}

/** What this class calls of the library's writer. */
interface ParquetFile {
  readonly write: (rows: {
    columnData: { name: string; data: unknown[]; offsetIndex: boolean }[];
    rowGroupSize: number;
  }) => void | Promise<void>;
  readonly finish: () => void | Promise<void>;
}

function topLevelNames(schema: readonly SchemaElement[]): string[] {
  const names: string[] = [];
  const skip = (index: number): number => {
    let next = index + 1;
    for (let child = 0; child < (schema[index]?.num_children ?? 0); child++) next = skip(next);
    return next;
  };
  for (let index = 1; index < schema.length; index = skip(index)) names.push(schema[index]?.name ?? '');
  return names;
}
