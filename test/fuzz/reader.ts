import type { Random } from '../../src/records/random.js';

/** The files of an input by name; the first one is the file that is read. */
export type Files = Readonly<Record<string, Buffer>>;

/** A reader of files from elsewhere. */
export interface FuzzedReader {
  readonly name: string;
  /** Makes an input. */
  make(random: Random): Files | Promise<Files>;
  /**
   * Reads an input through the reader's public function, and checks what the reader promises: what is read and what is
   * rejected add up to what the files contain, counted by other means.
   * @param folder the folder of the files
   * @throws RelflowError for an input that is refused, and any other error for a fault of the reader
   */
  read(folder: string, files: Files): Promise<void>;
}
