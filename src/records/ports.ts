import type { CandidatePair } from './candidate.js';
import type { Caption } from './caption.js';
import type { Detection, Image } from './image.js';
import type { TextGraph } from './text-graph.js';

/** Writes captions of images: a vision-language model, or a file that one filled. */
export interface Captioner {
  readonly name: string;
  readonly version: string;
  /** Whether `caption` opens the image's file. */
  readonly needsPixels: boolean;
  /** @throws RecordError where this image can't be captioned */
  caption(image: Image, signal: AbortSignal): Promise<readonly Caption[]> | readonly Caption[];
}

/** Reads a caption into a graph of noun phrases and relations. */
export interface TextParser {
  readonly name: string;
  readonly version: string;
  /** Never throws on any text; an empty graph where it finds nothing. */
  parse(caption: string): TextGraph | Promise<TextGraph>;
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

/** Says which relation texts hold for which pairs of objects: RLIPv2's R-Tagger, or a baseline. */
export interface RelationTagger {
  readonly name: string;
  readonly version: string;
  /** True where no learned model decides; marked as such in the output. */
  readonly baseline: boolean;
  readonly needsPixels: boolean;
  /**
   * @returns scores in [0, 1], `[pairs, texts]` row by row
   * @throws RecordError where this image can't be tagged
   */
  tag(request: TagRequest, signal: AbortSignal): Promise<Float32Array> | Float32Array;
}
