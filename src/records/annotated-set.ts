import { type Static, Type } from './type.js';

const closed = { additionalProperties: false } as const;
const path = (description: string) => Type.String({ minLength: 1, description });

/** The data sets with annotated relations in their official files, by their names; each has the options of its source. */
export const annotatedSetSchemas = {
  hico: Type.Object(
    { annotations: path("trainval_hico.json or test_hico.json, PPDM's form: a file or a glob") },
    { ...closed, description: 'HICO-DET' },
  ),
  vcoco: Type.Object(
    {
      annotations: path("vcoco_test.json, or test_vcoco.json in PPDM's form: a file or a glob"),
      instances: Type.Optional(path('instances_vcoco_all_2014.json, for the former')),
    },
    { ...closed, description: 'V-COCO' },
  ),
  openImages: Type.Object(
    {
      annotations: path('OI_SGG_test.json, vrd-test-anno.json or oidv6-test-annotations-vrd.csv: a file or a glob'),
      categories: Type.Optional(path('categories_dict.json, for the JSON forms')),
      descriptions: Type.Optional(path('oidv6-class-descriptions.csv, for CSV')),
      split: Type.Optional(Type.String({ description: 'name of the split in records' })),
    },
    { ...closed, description: "Open Images' relations" },
  ),
  vg150: Type.Object(
    {
      graphs: path('VG-SGG-with-attri.h5'),
      dicts: path('VG-SGG-dicts-with-attri.json'),
      imageData: path('image_data.json'),
      split: Type.Optional(
        Type.Union([Type.Literal('train'), Type.Literal('val'), Type.Literal('test')], {
          description: 'the part that is read (train)',
        }),
      ),
      validationImages: Type.Optional(
        Type.Integer({
          minimum: 0,
          description: 'first images of the training part that are val and not train (5000)',
        }),
      ),
    },
    { ...closed, description: 'VG150' },
  ),
  psg: Type.Object(
    {
      annotations: path('psg.json'),
      split: Type.Optional(
        Type.Union([Type.Literal('train'), Type.Literal('test'), Type.Literal('all')], {
          description: 'the part that is read (all)',
        }),
      ),
    },
    { ...closed, description: 'PSG' },
  ),
  gqa: Type.Object(
    { annotations: path('train_sceneGraphs.json or val_sceneGraphs.json: a file or a glob') },
    { ...closed, description: "GQA's scene graphs" },
  ),
};

type Schemas = typeof annotatedSetSchemas;

/** The name of a data set with annotated relations. */
export type AnnotatedSetName = keyof Schemas;

/** A data set with annotated relations in its official files: one of its names with the options of its source. */
export type AnnotatedSet = { readonly [N in AnnotatedSetName]?: Static<Schemas[N]> | undefined };

/** The names of the data sets. */
export const annotatedSetNames = Object.keys(annotatedSetSchemas) as readonly AnnotatedSetName[];
