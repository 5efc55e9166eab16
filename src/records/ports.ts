import type { Tokens } from './answer.js';
import type { CandidatePair } from './candidate.js';
import type { Caption } from './caption-record.js';
import type { Detection, Id, Image } from './image.js';
import type { TextGraph } from './text-graph.js';

/** What of a model's work is still to be done, and what that will cost. */
export interface Forecast {
  /** Answers that are needed in all. */
  readonly answers: number;
  /** Those that are not there yet: so many requests, if none fails. */
  readonly missing: number;
  /** What the missing ones will take, as far as that can be told. */
  readonly tokens: Tokens;
  /** At the prices that the user gave; 0 without. */
  readonly cost: number;
}

/** What a model that is asked over a network, or is slow, tells of its work beside the results. */
interface Metered {
  /** What was asked so far in this process, by name: for `report.json`, since no two runs need be the same. */
  usage?(): Readonly<Record<string, number>>;
}

/**
 * Writes captions of images: a vision-language model, or a file that one filled. One that looks at pixels is told the
 * image folder when it is made, since records hold paths below it.
 */
export interface Captioner extends Metered {
  readonly name: string;
  readonly version: string;
  /** Plain JSON: what manifests and digests say of it. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Input files, for checks and checksums before the run. */
  files?(): Promise<readonly string[]>;
  /** How many images keep it busy; absent where any number will do. */
  readonly imagesAtOnce?: number;
  /** What an image would still cost; asks nobody. */
  forecast?(image: Image, signal: AbortSignal): Promise<Forecast>;
  /** Called once when a run is over. */
  close?(): Promise<void>;
  /**
   * @param count told of what was of no use, by name, so that it is in the run's report
   * @throws RecordError where this image can't be captioned
   */
  caption(
    image: Image,
    signal: AbortSignal,
    count?: (problem: string) => void,
  ): Promise<readonly Caption[]> | readonly Caption[];
}

/** What a parser is given beside the caption. */
export interface ParseContext {
  readonly signal: AbortSignal;
  /** Told of what was of no use, by name. */
  count(problem: string): void;
}

/** Reads a caption into a graph of noun phrases and relations. */
export interface TextParser extends Metered {
  readonly name: string;
  readonly version: string;
  /** UTF-16 units of a caption that it reads; the rest is left out, and such captions are counted. */
  readonly maxLength?: number;
  /** Plain JSON: what manifests and digests say of it. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** How many records keep it busy; absent where it works in this process, one after another. */
  readonly recordsAtOnce?: number;
  /** What a caption would still cost; asks nobody. */
  forecast?(caption: string, signal: AbortSignal): Promise<Forecast>;
  /** Called once when a run is over. */
  close?(): Promise<void>;
  /**
   * An empty graph where it finds nothing. One that works in this process never throws on any text.
   * @param context absent where nobody counts and nobody can stop it
   * @throws RecordError where a model that is asked elsewhere gives no answer
   */
  parse(caption: string, context?: ParseContext): TextGraph | Promise<TextGraph>;
}

/** Text graphs that another parser made, in place of captions and a parser. */
export interface ParsedGraphs {
  readonly name: string;
  readonly version: string;
  /** Input files, for checks and checksums before the run. */
  files(): Promise<readonly string[]>;
  /**
   * One graph a caption of the image, in order.
   * @throws RecordError where it has none for this image
   */
  graphs(image: Image, signal?: AbortSignal): Promise<readonly TextGraph[]>;
  /** Called once when a run is over. */
  close(): Promise<void>;
}

/** What a relation tagger is asked: which of `texts` hold for which of `pairs`. */
export interface TagRequest {
  readonly image: Image;
  readonly detections: readonly Detection[];
  /** At most as many as the tagger takes at once, never none. */
  readonly pairs: readonly CandidatePair[];
  /** Distinct relation texts to score, the union over the image's pairs. */
  readonly texts: readonly string[];
  /** How many captions the image has. */
  readonly captionCount: number;
}

/**
 * Says which relation texts hold for which pairs of objects: RLIPv2's R-Tagger, or a baseline. One that looks at pixels
 * is told the image folder when it is made.
 */
export interface RelationTagger {
  readonly name: string;
  readonly version: string;
  /** True where no learned model decides; marked as such in the output. */
  readonly baseline: boolean;
  /** How many pairs it judges at once, for which it is asked at most; absent where any number will do. */
  readonly pairsAtOnce?: number;
  /**
   * @returns scores in [0, 1], `[pairs, texts]` row by row
   * @throws RecordError where this image can't be tagged
   */
  tag(request: TagRequest, signal: AbortSignal): Promise<Float32Array> | Float32Array;
}

/** Something that a source met and could not use. */
export interface SourceReject {
  /** Kebab-case; rejects are counted by it. */
  readonly reason: string;
  readonly message: string;
  readonly image?: Id;
  readonly detail?: unknown;
}

/** What a source yields: a record, or what it met instead of or beside one. */
export interface SourceItem<R> {
  /** Absent where nothing usable is left. */
  readonly record?: R;
  readonly rejects?: readonly SourceReject[];
  /** What was handled and is counted by name: `crowd`, `duplicate-box`… */
  readonly counts?: Readonly<Record<string, number>>;
}

/** How far a source has come; `total` is null where it can't be known. */
export interface SourceProgress {
  readonly phase: 'reading' | 'records';
  readonly done: number;
  readonly total: number | null;
}

/** What a source is given when it is read. */
export interface SourceContext {
  readonly signal: AbortSignal;
  /** A folder for spilled data, which exists and is emptied afterwards. */
  readonly tempDir: string;
  progress(progress: SourceProgress): void;
  /**
   * Whether the item at this position, from 0 and over all that the source yields, is wanted at all. In place of others
   * a source may yield empty items, which cost it less; absent where all are.
   */
  wanted?(position: number): boolean;
}

/** Files, or anything else, as records. Reading twice yields the same items in the same order. */
export interface Source<R> {
  readonly name: string;
  readonly version: string;
  /** Plain JSON: what the manifest and the digests say of it. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The fields of its records, e.g. `['image', 'detections', 'origin']`. */
  readonly adds: readonly string[];
  /**
   * The input files, for checks and checksums before the run.
   * @throws InputError where one is missing or can't be read
   */
  files(): Promise<readonly string[]>;
  /** Pull-based: nothing is read ahead of the consumer beyond a bounded buffer. */
  read(context: SourceContext): AsyncIterable<SourceItem<R>>;
}
