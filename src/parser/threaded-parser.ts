import { availableParallelism } from 'node:os';
import { Tinypool } from 'tinypool';
import { RecordError } from '../errors.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { TextParser } from '../records/ports.js';
import type { TextGraph } from '../records/text-graph.js';
import type { NeuralParserOptions } from './neural/neural-parser.js';
import type { ParsedCaption, ParserThreadData } from './parser-thread.js';
import { textParser } from './text-parser.js';

/** Number of captions that the calling thread parses first: it finishes them before other threads have started. */
const CAPTIONS_BEFORE_THREADS = 2000;
/** Captions per message: enough that sending it costs little compared with parsing them. */
const BATCH = 100;
const MAX_THREADS = 8;

/** A caption that waits for the next batch. */
interface QueuedCaption {
  readonly caption: string;
  readonly resolve: (graph: TextGraph) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes a parser that runs in worker threads and returns the same graphs as the parser of that name. The calling thread
 * parses the first 2,000 captions, and all captions when `threads` is 0.
 *
 * @param name `neural` or `rules`
 * @param options of the neural parser; the rule parser has none
 * @param threads number of worker threads. Default: the number of processors minus one, at most 8
 * @throws OptionError when the name is unknown, an option is out of range, or `threads` is not a whole number
 *
 * @example
 * ```ts
 * import { captionFile, caption, coco, Graph, parse, threadedParser } from 'relflow';
 *
 * new Graph('threads')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse(threadedParser('neural', { minConfidence: 0.5 }, 4)));
 * ```
 */
export function threadedParser(
  name: string,
  options: NeuralParserOptions = {},
  threads = Math.min(availableParallelism() - 1, MAX_THREADS),
): TextParser {
  if (threads !== 0) checkPositiveInteger('parser', 'threads', threads);
  const local = textParser(name, options);
  // When this module runs as TypeScript, the compiled file that a thread needs does not exist.
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

/** Collects captions into batches and sends them to a pool of threads. */
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
      const results = JSON.parse(await this.#pool.run(batch.map(({ caption }) => caption))) as ParsedCaption[];
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index]!;
        if ('reason' in result) reject(new RecordError(result.reason, result.message));
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
