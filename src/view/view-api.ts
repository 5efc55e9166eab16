/**
 * The contract between the server of `relflow view` and its page: the body of every reply, and of every request that has one.
 * Types only, so that the page bundles nothing of relflow. Those of edits and of judging are in `review-api.ts`.
 *
 * All paths begin with `/api`. Replies are JSON unless said otherwise; a failed request has a status of 400 or above and an
 * `ApiError`. The page is opened with `?token=…` once, which sets a cookie; every later request carries the cookie. Requests
 * that write are `POST` with `content-type: application/json`.
 *
 * | request | reply |
 * |---|---|
 * | `GET /api/set` | `SetInfo`; poll it while `indexing.done` is false |
 * | `GET /api/images?FILTER&sort=…&offset=0&limit=60` | `ImagePage` |
 * | `GET /api/facets?FILTER` | `Facets` |
 * | `GET /api/charts?FILTER` | `Charts` |
 * | `GET /api/terms?field=predicate&text=rid&limit=20` | `Terms`, for completion |
 * | `GET /api/images/KEY` | `ImageDetail` |
 * | `GET /api/images/KEY/picture?width=320` | image bytes; `width` is one of `PictureWidth`, the original if omitted |
 * | `POST /api/edits` with `EditRequest` | `EditReply`, after the edits are on disk |
 * | `GET /api/edits?limit=50` | `EditLog`, the newest first |
 * | `GET /api/queue?FILTER&order=random&seed=1&images=40&offset=0&limit=20` | `Queue` |
 * | `GET /api/queue/alike?FILTER&order=random&seed=1&images=40&image=3&relation=0` | `Alike` |
 * | `GET /api/judged.csv?FILTER&order=random&seed=1&images=40` | CSV that `relflow evaluate judged` reads |
 * | `GET /api/compare?FILTER&offset=0&limit=60` | `ComparePage`; 404 without `--compare` |
 * | `GET /api/compare/KEY` | `CompareDetail` |
 *
 * `FILTER` are the query parameters of a `Filter`: `where`, `predicate`, `subject`, `object`, `tagger`, `source`, `dropped` and
 * `review` (each may be repeated), `minConfidence`, `maxConfidence`, `minRelations`, `maxRelations` and `words`.
 */

/** Body of a failed request. */
export interface ApiError {
  /** What was found and what was expected, for people. */
  readonly error: string;
  /** `bad-option`, `not-found`, `bad-token`, `bad-origin`, … */
  readonly code: string;
}

/** Number of an image: its position in the set, from 0. It stays the same while the set does. */
export type ImageKey = number;

/**
 * What images and relations are shown. A relation matches if all constraints on relations hold for it; values of one facet are
 * alternatives. An image matches if the constraints on images hold and, where there are constraints on relations, a relation of
 * it matches.
 */
export interface Filter {
  /** Expression of `relflow export --where`, such as `confidence >= 0.5 and predicate != "on"`. */
  readonly where?: string;
  readonly predicate?: readonly string[];
  readonly subject?: readonly string[];
  /** The empty text stands for a relation without an object. */
  readonly object?: readonly string[];
  readonly tagger?: readonly string[];
  readonly source?: readonly RelationOrigin[];
  /** In [0, 1], inclusive; 1 where people annotated the relation. */
  readonly minConfidence?: number;
  readonly maxConfidence?: number;
  readonly review?: readonly ReviewState[];
  /** Constraints on images: the number of relations of the image, inclusive. */
  readonly minRelations?: number;
  readonly maxRelations?: number;
  /** Images with a candidate that was dropped for one of these reasons. */
  readonly dropped?: readonly string[];
  /** Images with a caption that has all of these words; the last one may be incomplete. */
  readonly words?: string;
}

/** What states a relation. */
export type RelationOrigin = 'caption' | 'geometry' | 'proposal' | 'predicates' | 'people';

/** What people said about a relation so far. */
export type ReviewState = 'unreviewed' | 'approved' | 'rejected' | 'changed' | 'added' | 'unsure';

/** Order of images; `set` is the order of the set. */
export type ImageSort =
  | 'set'
  | 'relations-most'
  | 'relations-fewest'
  | 'confidence-lowest'
  | 'confidence-highest'
  | 'file';

/** Widths of pictures that the server makes, in pixels; the height follows. */
export type PictureWidth = 160 | 320 | 640 | 1280;

/** How far the index of the set is. */
export interface IndexProgress {
  readonly done: boolean;
  /** Images that can be shown and counted so far. */
  readonly images: number;
  readonly relations: number;
  /** Share of the input that was read, in [0, 1]. */
  readonly share: number;
  /** Why it ended early, for people; absent if it did not. */
  readonly problem?: string;
}

/** The set that is shown. */
export interface SetInfo {
  /** Base name of the folder or file. */
  readonly name: string;
  readonly kind: 'run' | 'set';
  readonly indexing: IndexProgress;
  /** Whether pictures can be shown: false without `--images`. */
  readonly hasPictures: boolean;
  readonly hasCaptions: boolean;
  readonly hasCandidates: boolean;
  /** Name of the set to compare with; absent without `--compare`. */
  readonly compare?: { readonly name: string; readonly indexing: IndexProgress };
  /** Who reviews, as edits say it. */
  readonly reviewer: string;
  /** The file of reviews, for people, and the edits in it. */
  readonly reviews: { readonly file: string; readonly edits: number; readonly problem?: string };
  /** Rejected and refused input, by reason. */
  readonly refused: readonly Count[];
  /** Fields of `where` with their summaries. */
  readonly fields: readonly { readonly name: string; readonly type: 'text' | 'number'; readonly summary: string }[];
}

/** A value with the number of relations, or of images where it says so. */
export interface Count {
  readonly value: string;
  readonly count: number;
}

/** Values of each facet with counts under all other constraints, the most frequent first. */
export interface Facets {
  /** Images and relations that match the whole filter. */
  readonly images: number;
  readonly relations: number;
  /** Numbers of relations. At most 200 values each; `terms` finds the others. */
  readonly predicate: readonly Count[];
  readonly subject: readonly Count[];
  readonly object: readonly Count[];
  readonly tagger: readonly Count[];
  readonly source: readonly Count[];
  readonly review: readonly Count[];
  /** Numbers of images. */
  readonly dropped: readonly Count[];
  /** Numbers of images by number of relations, from 0; the last one counts images with that many or more. */
  readonly relationsPerImage: readonly number[];
  /** Relations in 20 equal bins of confidence from 0 to 1; relations that people annotated are not in it. */
  readonly confidence: readonly number[];
  /** True if indexing goes on and counts will grow. */
  readonly isPartial: boolean;
}

/** Data of the charts, under the whole filter. */
export interface Charts {
  /** All predicates by number of relations, the most frequent first; at most 1000, with the number of all. */
  readonly predicates: readonly Count[];
  readonly predicateCount: number;
  /** Relations in 20 equal bins of confidence from 0 to 1; relations that people annotated are not in it. */
  readonly confidence: readonly number[];
  /** Subject × predicate × object, the most frequent first; at most 200, with the number of all. */
  readonly triplets: readonly TripletCount[];
  readonly tripletCount: number;
  readonly isPartial: boolean;
}

/** The names of a relation: the categories of its objects, and its predicate. */
export interface TripletNames {
  readonly subject: string;
  readonly predicate: string;
  /** Empty for relations without an object. */
  readonly object: string;
}

/** How often a triplet occurs. */
export interface TripletCount extends TripletNames {
  readonly count: number;
}

/** Values of a field that begin with or contain a text, the most frequent first. */
export interface Terms {
  readonly terms: readonly Count[];
}

/** An image in the grid. */
export interface ImageCard {
  readonly key: ImageKey;
  readonly id: string;
  readonly file: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly objects: number;
  readonly relations: number;
  /** Number of relations that match the filter. */
  readonly matching: number;
  /** Up to 3 of them. */
  readonly sample: readonly {
    readonly subject: string;
    readonly predicate: string;
    readonly object: string;
    readonly confidence: number | null;
    /** `[x, y, width, height]` in pixels of the annotated size; of the object absent if there is none. */
    readonly subjectBox?: readonly [number, number, number, number];
    readonly objectBox?: readonly [number, number, number, number];
  }[];
  /** Number of relations with a review. */
  readonly reviewed: number;
}

/** Some images that match a filter. */
export interface ImagePage {
  readonly images: readonly ImageCard[];
  /** Number of images that match. */
  readonly total: number;
  readonly offset: number;
  /** True if indexing goes on and more may match. */
  readonly isPartial: boolean;
}

/** An object of an image. */
export interface ImageObject {
  readonly id: string;
  readonly category: string;
  /** `[x, y, width, height]` in pixels of the annotated size. */
  readonly box: readonly [number, number, number, number];
  /** In [0, 1]; null if people drew the box. */
  readonly score: number | null;
}

/** Names a relation within an image: indices into `objects` and the predicate as in the set. */
export interface RelationRef {
  readonly subject: number;
  readonly predicate: string;
  /** Null for a relation without an object. */
  readonly object: number | null;
}

/** A relation of an image, or one that a person drew. */
export interface ImageRelation extends RelationRef {
  /** Null if people annotated it. */
  readonly confidence: number | null;
  readonly source: RelationOrigin;
  /** Indices of the captions that state it. */
  readonly captions: readonly number[];
  /** Other wordings of the same fact that were merged into it. */
  readonly wordings: readonly { readonly predicate: string; readonly confidence: number }[];
  readonly review: RelationReview;
  /** Whether it matches the filter that the request carried. */
  readonly matches: boolean;
}

/** State of a relation after all edits. */
export interface RelationReview {
  readonly state: ReviewState;
  /** What the relation is now; absent if it was not changed. */
  readonly to?: RelationRef;
  /** Who edited it last, and when; absent if there is no edit. */
  readonly who?: string;
  readonly when?: string;
  /** The edit to undo; absent if there is none. */
  readonly edit?: string;
  /** True if two people disagree; the last edit holds. */
  readonly isConflict?: boolean;
}

/** A candidate relation and the way that it took. */
export interface ImageCandidate extends RelationRef {
  readonly captions: readonly number[];
  readonly source: RelationOrigin;
  readonly isKept: boolean;
  /** `kept`, `below-threshold`, `wordings-merged` or `not-kept`. */
  readonly reason: string;
  /** The reason as a sentence, with the relation that it was merged into or the threshold of the run. */
  readonly why: string;
}

/** All that is known of an image. */
export interface ImageDetail {
  readonly key: ImageKey;
  readonly id: string;
  readonly file: string;
  readonly dataset: string;
  readonly split: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly ImageObject[];
  readonly captions: readonly { readonly text: string; readonly source: string }[];
  /** The set's relations in its order, then those that people drew. */
  readonly relations: readonly ImageRelation[];
  /** Empty if the set has no candidates. */
  readonly candidates: readonly ImageCandidate[];
  /** The tagger's name and version; null if people annotated the relations. */
  readonly tagger: { readonly name: string; readonly version: string } | null;
  /** The stages that the image passed through, in order. */
  readonly stages: readonly { readonly name: string; readonly version: string }[];
  /** Why the picture cannot be shown; absent if it can. */
  readonly pictureProblem?: string;
  /** Keys of the neighbors under the filter and sort that the request carried. */
  readonly previous: ImageKey | null;
  readonly next: ImageKey | null;
}

/** An image of both sets. */
export interface CompareCard {
  readonly key: ImageKey;
  readonly id: string;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Numbers of relations that only one of the sets has, and that both have. */
  readonly onlyHere: number;
  readonly onlyThere: number;
  readonly both: number;
  /** False if the other set does not have the image. */
  readonly isInOther: boolean;
}

/** Images, those with the most differences first. */
export interface ComparePage {
  readonly images: readonly CompareCard[];
  readonly total: number;
  readonly offset: number;
  readonly totals: {
    readonly onlyHere: number;
    readonly onlyThere: number;
    readonly both: number;
    readonly imagesOnlyHere: number;
    readonly imagesOnlyThere: number;
  };
  /** Predicates by the difference of their counts, the largest first. */
  readonly predicates: readonly { readonly predicate: string; readonly here: number; readonly there: number }[];
  readonly isPartial: boolean;
}

/** An image in both sets side by side. */
export interface CompareDetail {
  readonly here: ImageDetail;
  /** Null if the other set does not have the image. */
  readonly there: Omit<ImageDetail, 'previous' | 'next'> | null;
  /** For each relation of each set: the index of the same relation in the other set, or null. */
  readonly hereToThere: readonly (number | null)[];
  readonly thereToHere: readonly (number | null)[];
}
