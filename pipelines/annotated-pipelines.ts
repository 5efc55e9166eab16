import {
  Graph,
  gqa,
  hico,
  type ImageRecord,
  openImages,
  psg,
  type Related,
  recipe,
  type Source,
  sceneGraphs,
  Type,
  vcoco,
  vg150,
} from '../src/index.js';
import { PSG_SPLITS } from '../src/sources/psg.js';
import { VG150_SPLITS } from '../src/sources/vg150.js';
import { MAIN } from './option-groups.js';

const file = (description: string) => Type.String({ group: MAIN, argument: 'file', description });
const files = (description: string) => Type.String({ group: MAIN, argument: 'files', description });

const imageOptions = (description: string) => ({
  images: Type.Optional(Type.String({ group: MAIN, argument: 'folder', description })),
  limit: Type.Optional(Type.Integer({ group: MAIN, minimum: 1, description: 'read only the first n images' })),
});
const checkedImages = () =>
  imageOptions('image folder, tar file or s3:// address; without it, image files are not checked');
const sizedImages = () =>
  imageOptions(
    'image folder, tar file or s3:// address, from which the sizes come; without it, images are looked for next to the annotations',
  );

const withoutRelations = Type.Boolean({
  group: MAIN,
  default: false,
  description: 'read images without relations too',
});

const closed = { additionalProperties: false } as const;

function graphOf(name: string, source: Source<ImageRecord & Related>): Graph {
  const graph = new Graph(name);
  graph.from(source).to(sceneGraphs());
  return graph;
}

/** Turn the relations that people annotated in the files of benchmarks into scene graphs. */
export const annotatedPipelines = [
  recipe({
    name: 'hico',
    summary: 'HICO-DET ground truth to scene graphs',
    options: Type.Object(
      { annotations: files("trainval_hico.json or test_hico.json, PPDM's form; a path or glob"), ...sizedImages() },
      closed,
    ),
    examples: ['run hico --annotations test_hico.json --images images --out hico'],
    build: (options) => graphOf('hico', hico(options)),
  }),
  recipe({
    name: 'vcoco',
    summary: 'V-COCO ground truth to scene graphs',
    options: Type.Object(
      {
        annotations: files("vcoco_test.json, or test_vcoco.json in PPDM's form; a path or glob"),
        instances: Type.Optional(
          files("COCO's instances for vcoco_test.json: instances_vcoco_all_2014.json; a path or glob"),
        ),
        ...sizedImages(),
      },
      closed,
    ),
    examples: ['run vcoco --annotations vcoco_test.json --instances instances_vcoco_all_2014.json --out vcoco'],
    build: (options) => graphOf('vcoco', vcoco(options)),
  }),
  recipe({
    name: 'open-images',
    summary: "Open Images' relations to scene graphs",
    options: Type.Object(
      {
        annotations: files('OI_SGG_test.json, vrd-test-anno.json or oidv6-test-annotations-vrd.csv; a path or glob'),
        categories: Type.Optional(file('categories_dict.json, for the JSON forms')),
        descriptions: Type.Optional(file('oidv6-class-descriptions.csv: names instead of labels, for CSV')),
        split: Type.Optional(
          Type.String({ group: MAIN, argument: 'name', description: 'name of the split in the scene graphs' }),
        ),
        ...sizedImages(),
      },
      closed,
    ),
    examples: [
      'run open-images --annotations OI_SGG_test.json --categories categories_dict.json --images images --out oi',
      'run open-images --annotations oidv6-test-annotations-vrd.csv --descriptions oidv6-class-descriptions.csv --images test --out oi',
    ],
    build: (options) => graphOf('open-images', openImages(options)),
  }),
  recipe({
    name: 'vg150',
    summary: 'VG150 ground truth to scene graphs',
    options: Type.Object(
      {
        graphs: file('VG-SGG-with-attri.h5; needs the package h5wasm'),
        dicts: file('VG-SGG-dicts-with-attri.json'),
        imageData: file('image_data.json, with the sizes of the images'),
        split: Type.String({ group: MAIN, enum: VG150_SPLITS, default: 'train', description: 'part to read' }),
        validationImages: Type.Integer({
          group: MAIN,
          minimum: 0,
          default: 5000,
          description: 'first images of the training part that are val and not train',
        }),
        withoutRelations,
        ...checkedImages(),
      },
      closed,
    ),
    examples: [
      'run vg150 --graphs VG-SGG-with-attri.h5 --dicts VG-SGG-dicts-with-attri.json --image-data image_data.json --split test --out vg150',
    ],
    build: ({ split, ...options }) =>
      graphOf('vg150', vg150({ ...options, split: split as (typeof VG150_SPLITS)[number] })),
  }),
  recipe({
    name: 'psg',
    summary: 'PSG ground truth to scene graphs of boxes',
    options: Type.Object(
      {
        annotations: file('psg.json'),
        split: Type.String({ group: MAIN, enum: PSG_SPLITS, default: 'all', description: 'part to read' }),
        withoutRelations,
        ...checkedImages(),
      },
      closed,
    ),
    examples: ['run psg --annotations psg.json --split test --images coco --out psg'],
    build: ({ split, ...options }) => graphOf('psg', psg({ ...options, split: split as (typeof PSG_SPLITS)[number] })),
  }),
  recipe({
    name: 'gqa',
    summary: "GQA's scene graphs",
    options: Type.Object(
      { annotations: files('train_sceneGraphs.json or val_sceneGraphs.json; a path or glob'), ...checkedImages() },
      closed,
    ),
    examples: ['run gqa --annotations val_sceneGraphs.json --out gqa'],
    build: (options) => graphOf('gqa', gqa(options)),
  }),
];
