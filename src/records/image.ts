import { BoxSchema } from './box.js';
import { type Static, Type } from './type.js';

export const IdSchema = Type.Union([Type.Integer(), Type.String({ minLength: 1 })]);
/** An id: a number where the source file has a whole number, even as a float or a text; any other text as written. */
export type Id = Static<typeof IdSchema>;

export const ImageSchema = Type.Object(
  {
    id: IdSchema,
    file: Type.String({ description: 'path relative to the image folder, with forward slashes' }),
    width: Type.Integer({ minimum: 1, description: 'pixels' }),
    height: Type.Integer({ minimum: 1, description: 'pixels' }),
    dataset: Type.String({ description: 'coco2017, o365, vg…' }),
    split: Type.String({ description: 'train2017, val…; empty if the data set has no splits' }),
  },
  { additionalProperties: false },
);
/** The image of a record. */
export type Image = Static<typeof ImageSchema>;

export const DetectionSchema = Type.Object(
  {
    id: IdSchema,
    category: Type.String({ minLength: 1 }),
    box: BoxSchema,
    score: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'omitted if people drew the box' })),
  },
  { additionalProperties: false },
);
/** One object of an image. Relations refer to objects by their index in the image's list. */
export type Detection = Static<typeof DetectionSchema>;

export const OriginSchema = Type.Object(
  {
    source: Type.String({ description: 'name of the source, for example coco' }),
    file: Type.String({ description: 'base name of the annotation file' }),
  },
  { additionalProperties: false },
);
/** The source and the annotation file that a record came from. */
export type Origin = Static<typeof OriginSchema>;

/** The record that every source yields: an image and its detections. Operators add fields to it. */
export interface ImageRecord {
  readonly image: Image;
  readonly detections: readonly Detection[];
  readonly origin: Origin;
  /**
   * Distinct category names of the raw annotations, including crowd and degenerate boxes, in order of first appearance.
   * Only set by sources in `compat` mode, because the official matcher uses these (RLIPv2,
   * datasets/rlipv2_helper/BLIP_coco_caption_helper.py).
   */
  readonly rawCategories?: readonly string[];
  /**
   * The names of all categories of the annotation file, as written and in its order. `match` needs them to know which words
   * name which category. Set by sources whose files list their categories.
   */
  readonly categories?: readonly string[];
}
