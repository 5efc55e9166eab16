import type { ExportInput } from './export-format.js';
import type { ExportFile, ExportOutput } from './export-output.js';

/** JSON Lines of an export, a file for each split; `train` without splits. */
export class SplitLines {
  readonly #files: ReadonlyMap<string, ExportFile>;

  private constructor(files: ReadonlyMap<string, ExportFile>) {
    this.#files = files;
  }

  /** @param folder of the files in the output, with its slash; empty for the output itself */
  static async create({ splits }: Pick<ExportInput, 'splits'>, output: ExportOutput, folder = ''): Promise<SplitLines> {
    const files = new Map<string, ExportFile>();
    for (const split of splits ?? ['train']) files.set(split, await output.create(`${folder}${split}.jsonl`));
    return new SplitLines(files);
  }

  /** Appends a line to the file of a split. */
  async add(split: string | null, value: unknown): Promise<void> {
    await this.#files.get(split ?? 'train')?.write(`${JSON.stringify(value)}\n`);
  }

  /** Completes the files. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
}
