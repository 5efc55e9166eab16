import { BoxSchema } from './box.js';
import { type Static, Type } from './type.js';

export const IdSchema = Type.Union([Type.Integer(), Type.String({ minLength: 1 })]);
/** An id as the source file has it. */
export type Id = Static<typeof IdSchema>;

export const ImageSchema = Type.Object(
  {
    id: IdSchema,
    file: Type.String({ description: 'path below the image folder, with forward slashes' }),
    width: Type.Integer({ minimum: 1, description: 'pixels' }),
    height: Type.Integer({ minimum: 1, description: 'pixels' }),
    dataset: Type.String({ description: 'coco2017, o365, vg…' }),
    split: Type.String({ description: 'train2017, val…; empty where the set has none' }),
  },
  { additionalProperties: false },
);
/** Which image a record is about. */
export type Image = Static<typeof ImageSchema>;

export const DetectionSchema = Type.Object(
  {
    id: IdSchema,
    category: Type.String({ minLength: 1 }),
    box: BoxSchema,
    score: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'absent where people drew the box' })),
  },
  { additionalProperties: false },
);
/** One object of an image. Relations point at objects by their index in the image's list. */
export type Detection = Static<typeof DetectionSchema>;

export const OriginSchema = Type.Object(
  {
    source: Type.String({ description: 'name of the source, e.g. coco' }),
    file: Type.String({ description: 'base name of the annotation file' }),
  },
  { additionalProperties: false },
);
/** Where a record came from. */
export type Origin = Static<typeof OriginSchema>;

/** What every source yields: an image and its detections. Later stages add fields to it. */
export interface ImageRecord {
  readonly image: Image;
  readonly detections: readonly Detection[];
  readonly origin: Origin;
  /**
   * Distinct category names over the raw annotations, crowd and degenerate boxes included, in order of first
   * appearance. Only sources in `compat` give it: the official matcher looks at these (RLIPv2,
   * datasets/rlipv2_helper/BLIP_coco_caption_helper.py).
   */
  readonly rawCategories?: readonly string[];
}
