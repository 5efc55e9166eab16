import type { Tokens } from './answer.js';
import type { CandidatePair } from './candidate.js';
import type { Caption } from './caption-record.js';
import type { Detection, Id, Image } from './image.js';
import type { TextGraph } from './text-graph.js';

/** An estimate of the requests that a model still needs to answer, and of their cost. */
export interface Forecast {
  /** Answers that are needed in total. */
  readonly answers: number;
  /** Answers that are not in the store yet, which is the number of requests if none fails. */
  readonly missing: number;
  /** Tokens that the missing answers are expected to take. */
  readonly tokens: Tokens;
  /** Cost of the missing answers at the prices in the options; 0 without prices. */
  readonly cost: number;
}

/** Counts problems by a kebab-case name, one or `by` at once. */
export type ProblemCounter = (problem: string, by?: number) => void;

/** Reports the requests of a model that runs on a server or is slow. */
interface Metered {
  /**
   * Returns counters of the requests of this process, by name. They go to `report.json` and not to the manifest,
   * because they differ between runs that write the same output.
   */
  usage?(): Readonly<Record<string, number>>;
}

/**
 * Returns captions of an image, from a vision-language model or from a file. A captioner that reads pixels gets the
 * image folder as an option of its own, since records hold paths relative to that folder.
 *
 * @example
 * ```ts
 * import { type Captioner, caption } from 'relflow';
 *
 * const titles = new Map([['000000000139.jpg', 'a man sits on a chair']]);
 * const captioner: Captioner = {
 *   name: 'titles',
 *   version: '1',
 *   caption: ({ file }) => [{ text: titles.get(file) ?? '', source: 'titles' }],
 * };
 * const operator = caption(captioner);
 * ```
 */
export interface Captioner extends Metered {
  readonly name: string;
  readonly version: string;
  /** Options as plain JSON, for manifests and digests. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Returns the paths of the input files, which are checked and hashed before the run. */
  files?(): Promise<readonly string[]>;
  /** The number of images to caption concurrently; omitted when the captioner has no preference. */
  readonly imagesAtOnce?: number;
  /** Estimates the remaining requests and cost of one image without sending a request. */
  forecast?(image: Image, signal: AbortSignal): Promise<Forecast>;
  /** Releases resources; called once when the run has ended. */
  close?(): Promise<void>;
  /**
   * Returns the captions of one image, in order.
   * @param signal aborts the work when the run is cancelled
   * @param count counts a problem that does not reject the image, by a kebab-case name; the counts are part of the
   * run's report
   * @throws RecordError if the image cannot be captioned; the image is then rejected and the run continues
   */
  caption(image: Image, signal: AbortSignal, count?: ProblemCounter): Promise<readonly Caption[]> | readonly Caption[];
}

/** The context in which a text parser is called. */
export interface ParseContext {
  /** Aborts the work when the run is cancelled. */
  readonly signal: AbortSignal;
  /** Counts a problem that does not reject the record, by a kebab-case name. */
  count(problem: string): void;
}

/**
 * Parses a caption into a graph of noun phrases and relations.
 *
 * @example
 * ```ts
 * import { parse, ruleParser, type TextParser } from 'relflow';
 *
 * const rules = ruleParser();
 * const lowerCase: TextParser = {
 *   name: 'lower-case',
 *   version: '1',
 *   parse: (caption, context) => rules.parse(caption.toLowerCase(), context),
 * };
 * const operator = parse(lowerCase);
 * ```
 */
export interface TextParser extends Metered {
  readonly name: string;
  readonly version: string;
  /**
   * The maximum length of a caption in UTF-16 code units. The parser ignores the rest of a longer caption, and the run
   * counts such captions.
   */
  readonly maxLength?: number;
  /** Options as plain JSON, for manifests and digests. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The number of records to parse concurrently; omitted when the parser works synchronously in this process. */
  readonly recordsAtOnce?: number;
  /** Estimates the remaining requests and cost of one caption without sending a request. */
  forecast?(caption: string, signal: AbortSignal): Promise<Forecast>;
  /** Releases resources; called once when the run has ended. */
  close?(): Promise<void>;
  /**
   * Parses one caption. The graph is empty if the parser finds nothing. A parser that works in this process does not
   * throw, whatever the text.
   * @param context omitted when the caller needs neither counters nor cancellation
   * @throws RecordError if a model on a server does not answer
   */
  parse(caption: string, context?: ParseContext): TextGraph | Promise<TextGraph>;
}

/**
 * Provides text graphs that another parser produced; the operator `parsed` uses them instead of `caption` and `parse`.
 */
export interface ParsedGraphs {
  readonly name: string;
  readonly version: string;
  /** Returns the paths of the input files, which are checked and hashed before the run. */
  files(): Promise<readonly string[]>;
  /**
   * Returns the graphs of an image, one per caption, in order.
   * @throws RecordError if there are none for this image
   */
  graphs(image: Image, signal?: AbortSignal): Promise<readonly TextGraph[]>;
  /** Releases resources; called once when the run has ended. */
  close(): Promise<void>;
}

/** A request to a relation tagger: score each of `texts` for each of `pairs`. */
export interface TagRequest {
  readonly image: Image;
  readonly detections: readonly Detection[];
  /**
   * Category → its name as models read it: `person` for `Person`. It has all categories of the data set in their order, as far
   * as the source knows them, and those of the detections. Omitted in compat and for baselines.
   */
  readonly labels?: ReadonlyMap<string, string> | undefined;
  /** The candidate pairs to score: at least one, and at most `pairsAtOnce` of the tagger. */
  readonly pairs: readonly CandidatePair[];
  /** The distinct relation texts to score: the union over all pairs of the image. */
  readonly texts: readonly string[];
  /** The number of captions of the image. */
  readonly captionCount: number;
}

/**
 * Scores relation texts for pairs of objects: RLIPv2's R-Tagger, or a baseline. A tagger that reads pixels gets the
 * image folder as an option of its own, since records hold paths relative to that folder.
 *
 * @example
 * ```ts
 * import { type RelationTagger, tag } from 'relflow';
 *
 * // Scores every text of every pair with 0.5.
 * const constant: RelationTagger = {
 *   name: 'constant',
 *   version: '1',
 *   baseline: true,
 *   tag: ({ pairs, texts }) => new Float32Array(pairs.length * texts.length).fill(0.5),
 * };
 * const operator = tag(constant, { threshold: 0.1 });
 * ```
 */
export interface RelationTagger extends Metered {
  readonly name: string;
  readonly version: string;
  /** True if the scores do not come from a learned model; the output is marked accordingly. */
  readonly baseline: boolean;
  /** Options as plain JSON, for manifests and digests. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The score above which relations are kept unless the user gives another, in [0, 1]. Default 0.2. */
  readonly threshold?: number;
  /** The maximum number of pairs per request; omitted when there is no limit. */
  readonly pairsAtOnce?: number;
  /** The number of images to tag concurrently; omitted when the tagger has no preference. */
  readonly imagesAtOnce?: number;
  /**
   * Checks whether the tagger can score boxes of a category, given by its name as models read it; pairs with others are left out and counted. Omitted when the
   * tagger scores all.
   */
  knowsCategory?(category: string): boolean;
  /** Estimates the remaining requests and cost of one request to the tagger without sending any. */
  forecast?(request: TagRequest, signal: AbortSignal): Promise<Forecast>;
  /** Releases resources; called once when the run has ended. */
  close?(): Promise<void>;
  /**
   * Scores one request.
   * @param count counts a problem that does not reject the image, by a kebab-case name
   * @returns scores in [0, 1] of shape `[pairs, texts]`, row-major
   * @throws RecordError if the image cannot be tagged; the image is then rejected and the run continues
   */
  tag(request: TagRequest, signal: AbortSignal, count?: ProblemCounter): Promise<Float32Array> | Float32Array;
}

/** A request to a relation proposer: name relations of `pairs`. */
export interface ProposeRequest {
  readonly image: Image;
  readonly detections: readonly Detection[];
  /** Category → its name as models read it. */
  readonly labels: ReadonlyMap<string, string>;
  /** Pairs of indices into the detections, at least one. Each may be related in either direction. */
  readonly pairs: readonly (readonly [number, number])[];
  /** The relation texts to choose from. Omitted when any text will do. */
  readonly predicates?: readonly string[];
}

/** A relation that a proposer names. */
export interface Proposal {
  /** Index into the detections. */
  readonly subject: number;
  /** Index into the detections. */
  readonly object: number;
  readonly predicate: string;
}

/**
 * Names relations of pairs of boxes that no caption states, such as a vision-language model does. The operator `propose` checks
 * them against the boxes; a tagger then scores them.
 *
 * @example
 * ```ts
 * import { propose, type RelationProposer } from 'relflow';
 *
 * const neighbors: RelationProposer = {
 *   name: 'neighbors',
 *   version: '1',
 *   propose: ({ pairs }) => pairs.map(([subject, object]) => ({ subject, object, predicate: 'next to' })),
 * };
 * const operator = propose(neighbors);
 * ```
 */
export interface RelationProposer extends Metered {
  readonly name: string;
  readonly version: string;
  /** Options as plain JSON, for manifests and digests. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The number of images to ask about concurrently; omitted when the proposer has no preference. */
  readonly imagesAtOnce?: number;
  /** Estimates the remaining requests and cost of one request to the proposer without sending any. */
  forecast?(request: ProposeRequest, signal: AbortSignal): Promise<Forecast>;
  /** Releases resources; called once when the run has ended. */
  close?(): Promise<void>;
  /**
   * Names relations of the pairs.
   * @param count counts a problem that does not reject the image, by a kebab-case name
   * @throws RecordError if there are no proposals for the image; it is then rejected and the run continues
   */
  propose(
    request: ProposeRequest,
    signal: AbortSignal,
    count?: ProblemCounter,
  ): Promise<readonly Proposal[]> | readonly Proposal[];
}

/** An element of the input that a source cannot use. */
export interface SourceReject {
  /** Kebab-case and from a small set, since rejects are counted by reason. */
  readonly reason: string;
  readonly message: string;
  /** The image that the element belongs to, if known. */
  readonly image?: Id;
  /** The rejected element as plain JSON, as far as it is known. */
  readonly detail?: unknown;
}

/** One item of a source: a record, rejects and counts, or any of these alone. */
export interface SourceItem<R> {
  /** Omitted when the item has only rejects or counts. */
  readonly record?: R;
  readonly rejects?: readonly SourceReject[];
  /** Counts of elements that the source handled specially, by name: `crowd`, `duplicate-box`… */
  readonly counts?: Readonly<Record<string, number>>;
}

/** The progress of a source in its current phase. */
export interface SourceProgress {
  /** `reading` counts bytes of files, `records` counts records. */
  readonly phase: 'reading' | 'records';
  readonly done: number;
  /** Null when the total is unknown. */
  readonly total: number | null;
}

/** The context in which a source is read. */
export interface SourceContext {
  /** Aborts the reading when the run is cancelled. */
  readonly signal: AbortSignal;
  /** An existing folder for temporary files; the run removes its content afterwards. */
  readonly tempDir: string;
  /** Reports progress. */
  progress(progress: SourceProgress): void;
  /**
   * Returns whether the run needs the item at `position`, counted from 0 over all items of the source. For an item that
   * is not needed the source may yield an empty item instead, which is cheaper. Omitted when all items are needed.
   */
  wanted?(position: number): boolean;
}

/**
 * Reads records from files or from anything else. Reading it twice yields the same items in the same order.
 *
 * @example
 * ```ts
 * import { Graph, type ImageRecord, type Source } from 'relflow';
 *
 * const boxes: Source<ImageRecord> = {
 *   name: 'boxes',
 *   version: '1',
 *   options: {},
 *   adds: ['image', 'detections', 'origin'],
 *   files: async () => [],
 *   async *read({ signal }) {
 *     for (const id of [1, 2]) {
 *       signal.throwIfAborted();
 *       yield {
 *         record: {
 *           image: { id, file: `${id}.jpg`, width: 640, height: 480, dataset: 'boxes', split: '' },
 *           detections: [{ id: 1, category: 'dog', box: [10, 10, 100, 80] }],
 *           origin: { source: 'boxes', file: '' },
 *         },
 *       };
 *     }
 *   },
 * };
 * new Graph('own-source').from(boxes);
 * ```
 */
export interface Source<R> {
  readonly name: string;
  readonly version: string;
  /** Options as plain JSON, for manifests and digests. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The fields of its records, e.g. `['image', 'detections', 'origin']`. */
  readonly adds: readonly string[];
  /**
   * Returns the paths of the input files, which are checked and hashed before the run.
   * @throws InputError if a file is missing or cannot be read
   */
  files(): Promise<readonly string[]>;
  /** Yields items on demand; the source reads at most a bounded buffer ahead of the consumer. */
  read(context: SourceContext): AsyncIterable<SourceItem<R>>;
}
