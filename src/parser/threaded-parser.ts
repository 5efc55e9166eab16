import { availableParallelism } from 'node:os';
import { Tinypool } from 'tinypool';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { TextParser } from '../records/ports.js';
import type { TextGraph } from '../records/text-graph.js';
import type { NeuralParserOptions } from './neural/neural-parser.js';
import { textParser } from './text-parser.js';

/** What a thread is told when it starts. */
export interface ParserThreadData {
  readonly parser: string;
  readonly options: NeuralParserOptions;
}

/** What comes first is read in this thread: so few captions are done before others have started. */
const CAPTIONS_BEFORE_THREADS = 2000;
/** Captions in a message: enough that its cost is small beside theirs. */
const BATCH = 100;
const MAX_THREADS = 8;

interface QueuedCaption {
  readonly caption: string;
  readonly resolve: (graph: TextGraph) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A parser by its name that reads captions in threads of their own. It answers as the parser itself does, which it is
 * for the first captions of a run.
 *
 * @param threads how many; 0 for none. Default: one less than there are processors, at most 8
 * @throws OptionError as `textParser` does, or where `threads` is no whole number
 */
export function threadedParser(
  name: string,
  options: NeuralParserOptions = {},
  threads = Math.min(availableParallelism() - 1, MAX_THREADS),
): TextParser {
  if (threads !== 0) checkPositiveInteger('parser', 'threads', threads);
  const local = textParser(name, options);
  // As TypeScript, under a loader, this module has no compiled one beside it that a thread could run.
  if (threads === 0 || import.meta.url.endsWith('.ts')) return local;
  const pool = new ParserPool({ parser: name, options }, threads);
  let captions = 0;
  return {
    ...local,
    recordsAtOnce: threads * BATCH * 2,
    parse: (caption, context) =>
      captions++ < CAPTIONS_BEFORE_THREADS ? local.parse(caption, context) : pool.parse(caption),
    close: async () => {
      captions = 0;
      await pool.close();
    },
  };
}

class ParserPool {
  readonly #data: ParserThreadData;
  readonly #threads: number;
  #pool: Tinypool | null = null;
  #waiting: QueuedCaption[] = [];
  #scheduled = false;

  constructor(data: ParserThreadData, threads: number) {
    this.#data = data;
    this.#threads = threads;
  }

  parse(caption: string): Promise<TextGraph> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ caption, resolve, reject });
      if (this.#waiting.length >= BATCH) void this.#send();
      else if (!this.#scheduled) {
        this.#scheduled = true;
        setImmediate(() => {
          this.#scheduled = false;
          void this.#send();
        });
      }
    });
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }

  async #send(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#pool ??= new Tinypool({
      filename: new URL('parser-thread.js', import.meta.url).href,
      minThreads: this.#threads,
      maxThreads: this.#threads,
      workerData: this.#data,
    });
    try {
      const graphs = JSON.parse(await this.#pool.run(batch.map(({ caption }) => caption))) as TextGraph[];
      for (const [index, { resolve }] of batch.entries()) resolve(graphs[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
