import type { ImageKey, ImageRelation, RelationRef, ReviewState, TripletNames } from './view-api.js';

/** What a person does to a relation. */
export type EditAction =
  /** The relation holds as it is. */
  | { readonly action: 'approve' }
  /** It does not hold; `triplet` and `match` answer the other questions of `relflow sample`. */
  | { readonly action: 'reject'; readonly triplet?: Verdict; readonly match?: Verdict }
  /** The person cannot tell. */
  | { readonly action: 'unsure' }
  /** It should be `to`: another predicate, the other direction, or other boxes. */
  | { readonly action: 'change'; readonly to: RelationRef }
  /** A new relation, which is the edit's `relation`. */
  | { readonly action: 'add' }
  /** Takes an earlier edit back, which may be an `undo` itself. */
  | { readonly action: 'undo'; readonly edit: string };

/** An answer of a person. */
export type Verdict = 'yes' | 'no' | '?';

/** An edit to save. */
export interface NewEdit {
  /** A UUID that the page makes: sending an edit again saves it once. */
  readonly id: string;
  readonly image: ImageKey;
  /** The relation as in the set, also after it was changed; for `add` the new relation. */
  readonly relation: RelationRef;
  readonly what: EditAction;
}

/** Body of `POST /api/edits`. All of the edits are saved, or none. */
export interface EditRequest {
  readonly edits: readonly NewEdit[];
}

/** The saved edits, and the images that they touch as they are now. */
export interface EditReply {
  readonly saved: readonly string[];
  readonly images: readonly { readonly key: ImageKey; readonly relations: readonly ImageRelation[] }[];
}

/** A saved edit. */
export interface SavedEdit extends NewEdit {
  readonly who: string;
  /** ISO 8601 in UTC. */
  readonly when: string;
  readonly subject: string;
  /** Category of the object; empty without one. */
  readonly object: string;
  /** True if an `undo` took it back. */
  readonly isUndone: boolean;
}

/** The newest edits. */
export interface EditLog {
  readonly edits: readonly SavedEdit[];
  readonly total: number;
}

/** Order of the queue: `random` draws `images` images by the seed as `relflow sample` does; `uncertain` takes the confidence nearest to 0.5 first. */
export type QueueOrder = 'uncertain' | 'random';

/** A relation to judge. */
export interface QueueItem extends TripletNames {
  readonly image: ImageKey;
  /** Index into the image's `relations`. */
  readonly relation: number;
  readonly confidence: number | null;
  readonly state: ReviewState;
}

/** Relations to judge, in order, and what the judgments say so far. */
export interface Queue {
  readonly items: readonly QueueItem[];
  readonly offset: number;
  readonly total: number;
  /** Position of the first item without a judgment; `total` if all are judged. */
  readonly firstOpen: number;
  readonly progress: {
    readonly judged: number;
    readonly unsure: number;
    readonly images: number;
    readonly imagesDone: number;
  };
  /** Share of relations that hold for their very boxes, of those judged in this queue, with its 95 % interval. */
  readonly precision: Share;
  /** True for `random`: only then the precision speaks for the whole set. */
  readonly isRepresentative: boolean;
}

/** The relations of a queue whose subject, predicate and object have the names of one of them in the set. */
export interface Alike {
  /** Those without a judgment, in the order of the set; at most 2000, equal ones of an image once. */
  readonly relations: readonly {
    readonly image: ImageKey;
    /** Index into the image's `relations`. */
    readonly place: number;
    readonly relation: RelationRef;
  }[];
  /** Number of all relations without a judgment, and of their images. */
  readonly open: number;
  readonly images: number;
  /** Number of relations that people have judged. */
  readonly judged: number;
}

/** A share with its 95 % interval, in [0, 1]; null where nothing was counted. */
export interface Share {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
  readonly of: number;
}
