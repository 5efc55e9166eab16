import type { ExportFile, ExportOutput, Scratch } from './export-output.js';

/**
 * A JSON object with several long lists that are written at the same time: the first goes to the file, the others to
 * temporary files that are appended at the end.
 */
export class JsonSections {
  readonly #file: ExportFile;
  readonly #lists: ReadonlyMap<string, { readonly target: Scratch | ExportFile; count: number }>;

  private constructor(file: ExportFile, lists: ReadonlyMap<string, { target: Scratch | ExportFile; count: number }>) {
    this.#file = file;
    this.#lists = lists;
  }

  static async create(output: ExportOutput, name: string, lists: readonly string[]): Promise<JsonSections> {
    const file = await output.create(name);
    const targets = new Map<string, { target: Scratch | ExportFile; count: number }>();
    for (const list of lists)
      targets.set(list, { target: targets.size === 0 ? file : await output.scratch(), count: 0 });
    await file.write(`{${JSON.stringify(lists[0])}: [`);
    return new JsonSections(file, targets);
  }

  /** Appends a value to a list. */
  async add(list: string, value: unknown): Promise<void> {
    const found = this.#lists.get(list);
    if (!found) throw new RangeError(`unknown list '${list}'`);
    await found.target.write(`${found.count++ === 0 ? '\n' : ',\n'}${JSON.stringify(value)}`);
  }

  /** Appends the other lists and further values to the file, and completes it. */
  async close(values: Readonly<Record<string, unknown>>): Promise<void> {
    const [, ...rest] = this.#lists;
    await this.#file.write('\n]');
    for (const [list, { target }] of rest) {
      await this.#file.write(`,\n${JSON.stringify(list)}: [`);
      await (target as Scratch).appendTo(this.#file);
      await this.#file.write('\n]');
    }
    for (const [name, value] of Object.entries(values))
      await this.#file.write(`,\n${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    await this.#file.write('}\n');
    await this.#file.close();
  }
}
