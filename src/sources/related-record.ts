import type { PixelSize } from '../files/image-header.js';
import type { Box } from '../records/box.js';
import type { Caption, Captioned } from '../records/caption-record.js';
import type { Id, Image, ImageRecord, Origin } from '../records/image.js';
import type { SourceItem } from '../records/ports.js';
import type { Related, Relation, Tagger } from '../records/scene-graph.js';
import { scaleBox } from './box-forms.js';
import { filterDetections } from './filter-detections.js';

/** An image with its objects and relations, as an annotation file has them. */
export interface AnnotatedImage {
  readonly id: Id;
  /** The path of the image file as written; `imagePath` can read it. */
  readonly fileName: string;
  /** Null if the annotations have none. */
  readonly size: PixelSize | null;
  /** Empty if the data set has no splits. */
  readonly split: string;
  /** The name of the data set that the image came from, if the file has it. */
  readonly dataset?: string;
  readonly objects: readonly {
    readonly id?: Id;
    /** Null if the number of the category has no name. */
    readonly category: string | null;
    readonly box: Box;
    /** In [0, 1]; omitted if people drew the box. */
    readonly score?: number;
  }[];
  /** True if the boxes are fractions of the image's width and height. Default: pixels. */
  readonly boxesAreFractions?: boolean;
  readonly relations: readonly {
    /** Index in `objects`. */
    readonly subject: number;
    /** Index in `objects`; null if the relation has no object. */
    readonly object: number | null;
    /** Null if the number of the predicate has no name. */
    readonly predicate: string | null;
    /** In [0, 1]; omitted if people annotated the relation. */
    readonly confidence?: number;
  }[];
  /** What scored the relations, if the file has it; null if people annotated them. */
  readonly tagger?: Tagger | null;
  /** The captions of the image, if the file has them. */
  readonly captions?: readonly Caption[];
  /** The names of all categories of the data set, if the source knows them. */
  readonly categories?: readonly string[];
  /** Why the image cannot be used. */
  readonly refused?: { readonly reason: string; readonly problem: string };
  /** Counts of what the file has, but the image here has not. */
  readonly counts?: Readonly<Record<string, number>>;
}

/**
 * Converts an annotated image to a record, in which relations refer to detections by index. It keeps duplicate boxes, and all
 * relations of the boxes that `filterDetections` keeps. Dropped relations are counted: `relation-of-dropped-box` and
 * `undefined-predicate`.
 */
export function relatedRecord(
  {
    objects,
    boxesAreFractions = false,
    relations: written,
    categories,
    captions,
    counts: given,
    ...own
  }: AnnotatedImage,
  image: Image,
  origin: Origin,
): SourceItem<ImageRecord & Related & Partial<Captioned>> {
  const raw = objects.map(({ id, category, box, score }, index) => ({
    id: id ?? index,
    category,
    box: boxesAreFractions ? scaleBox(box, image) : box,
    crowd: false,
    ...(score !== undefined && { score }),
  }));
  const { detections, kept, rejects, counts: found } = filterDetections(raw, image, false, true);
  const counts: Record<string, number> = { ...given, ...found };
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const relations: Relation[] = [];
  for (const { subject: from, object: to, predicate, confidence } of written) {
    const subject = kept[from]!;
    const object = to === null ? null : kept[to]!;
    if (predicate === null) count('undefined-predicate');
    else if (subject < 0 || (object !== null && object < 0)) count('relation-of-dropped-box');
    else relations.push({ subject, object, predicate, ...(confidence !== undefined && { confidence }) });
  }
  // What has scored the relations is not known.
  const isScored = relations.some(({ confidence }) => confidence !== undefined);
  const { dataset, tagger = isScored ? { name: 'unknown', version: '1', baseline: false } : null } = own;
  return {
    record: {
      image: dataset === undefined ? image : { ...image, dataset },
      detections,
      origin,
      ...(categories && { categories }),
      ...(captions && { captions }),
      relations,
      tagger,
    },
    rejects,
    counts,
  };
}
