import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);

/** Number of documents that are compressed together: neighbors are alike, and one of them is read with the others. */
const DOCUMENTS_PER_BLOCK = 64;

/** Where a block of documents is in the file. */
export interface DocumentBlock {
  readonly at: number;
  readonly bytes: number;
}

/** JSON values by number, from 0, in a compressed file. */
export class DocumentFile {
  readonly #file: FileHandle;
  readonly #blocks: DocumentBlock[];
  #tail: string[] = [];
  #end: number;
  /** The block that was read last: pages and neighbors ask for the documents of one block. */
  #last: { readonly block: number; readonly lines: Promise<string[]> } | null = null;

  private constructor(file: FileHandle, blocks: DocumentBlock[]) {
    this.#file = file;
    this.#blocks = blocks;
    this.#end = blocks.reduce((end, { at, bytes }) => Math.max(end, at + bytes), 0);
  }

  /** Creates an empty file. */
  static async create(path: string): Promise<DocumentFile> {
    return new DocumentFile(await open(path, 'wx+'), []);
  }

  /** Opens a complete file whose blocks are known. */
  static async open(path: string, blocks: readonly DocumentBlock[]): Promise<DocumentFile> {
    return new DocumentFile(await open(path, 'r'), [...blocks]);
  }

  get blocks(): readonly DocumentBlock[] {
    return this.#blocks;
  }

  /** Appends a value; it can be read at once. */
  async add(value: unknown): Promise<void> {
    this.#tail.push(JSON.stringify(value));
    if (this.#tail.length === DOCUMENTS_PER_BLOCK) await this.flush();
  }

  /** Writes the values that were added since the last full block. */
  async flush(): Promise<void> {
    if (this.#tail.length === 0) return;
    const lines = this.#tail;
    const bytes = await compress(lines.join('\n'), { level: 1 });
    await this.#file.write(bytes, 0, bytes.length, this.#end);
    this.#blocks.push({ at: this.#end, bytes: bytes.length });
    this.#end += bytes.length;
    this.#tail = [];
  }

  /** Returns the value of a number; undefined if there is none. */
  async get(number: number): Promise<unknown> {
    const block = Math.floor(number / DOCUMENTS_PER_BLOCK);
    const line = (await this.#lines(block))[number % DOCUMENTS_PER_BLOCK];
    return line === undefined ? undefined : JSON.parse(line);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #lines(block: number): Promise<string[]> {
    const place = this.#blocks[block];
    if (place === undefined) return block === this.#blocks.length ? this.#tail : [];
    if (this.#last?.block !== block) this.#last = { block, lines: this.#read(place) };
    return this.#last.lines;
  }

  async #read({ at, bytes }: DocumentBlock): Promise<string[]> {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await this.#file.read(buffer, 0, bytes, at);
    if (bytesRead !== bytes) throw new Error('the file of documents is shorter than its index says');
    return (await decompress(buffer)).toString('utf8').split('\n');
  }
}
