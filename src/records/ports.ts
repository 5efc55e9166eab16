import type { CandidatePair } from './candidate.js';
import type { Caption } from './caption.js';
import type { Detection, Id, Image } from './image.js';
import type { TextGraph } from './text-graph.js';

/**
 * Writes captions of images: a vision-language model, or a file that one filled. One that looks at pixels is told the
 * image folder when it is made, since records hold paths below it.
 */
export interface Captioner {
  readonly name: string;
  readonly version: string;
  /** Plain JSON: what manifests and digests say of it. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Input files, for checks and checksums before the run. */
  files?(): Promise<readonly string[]>;
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

/** Reads a caption into a graph of noun phrases and relations. */
export interface TextParser {
  readonly name: string;
  readonly version: string;
  /** UTF-16 units of a caption that it reads; the rest is left out, and such captions are counted. */
  readonly maxLength?: number;
  /** Never throws on any text; an empty graph where it finds nothing. */
  parse(caption: string): TextGraph | Promise<TextGraph>;
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
