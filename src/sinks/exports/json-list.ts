import type { ExportFile, ExportOutput } from './export-output.js';

/** A file with one long JSON list, a value on each line. */
export class JsonList {
  readonly #file: ExportFile;
  #count = 0;

  private constructor(file: ExportFile) {
    this.#file = file;
  }

  static async create(output: ExportOutput, name: string): Promise<JsonList> {
    return new JsonList(await output.create(name));
  }

  /** Appends a value. */
  async add(value: unknown): Promise<void> {
    await this.#file.write(`${this.#count++ === 0 ? '[' : ',\n'}${JSON.stringify(value)}`);
  }

  /** Completes the file. */
  async close(): Promise<void> {
    await this.#file.write(this.#count === 0 ? '[]\n' : ']\n');
    await this.#file.close();
  }
}
