import { detections, Graph, recipe, Type } from '../src/index.js';
import { imageFolders } from './image-folders.js';
import { MAIN } from './option-groups.js';
import { pseudoLabel, pseudoLabelOptions } from './pseudo-label.js';

/** Turns detections, in COCO's format or in another that `detections` reads, and captions into scene graphs. */
export default recipe({
  name: 'coco',
  summary: 'detections (COCO, YOLO, Pascal VOC, CVAT, Label Studio) and captions to scene graphs',
  options: Type.Object(
    {
      annotations: Type.String({
        group: MAIN,
        argument: 'files',
        description:
          "instances_*.json of COCO, also .gz; YOLO's data.yaml or labels; Pascal VOC's or CVAT's XML; Label Studio's JSON; a path, glob or folder",
      }),
      images: Type.Optional(
        Type.String({
          group: MAIN,
          argument: 'folder',
          description:
            'image folder, tar file or s3:// address; default for models that read pixels: the folder of the annotations; image files are not checked otherwise',
        }),
      ),
      dataset: Type.Optional(
        Type.String({
          group: 'Selection',
          argument: 'name',
          description:
            "name of the dataset; default: the annotation file's own, coco2017 for instances_*2017.json and --compat",
        }),
      ),
      split: Type.Optional(
        Type.String({
          group: 'Selection',
          argument: 'name',
          description: 'train2017…; default: from the name of the annotation file',
        }),
      ),
      ...pseudoLabelOptions,
    },
    { additionalProperties: false },
  ),
  examples: [
    'run coco --annotations instances_train2017.json --captions captions_train2017.json --out coco-graphs',
    'run coco --annotations instances.json --images images --captions captions.json --tagger tagger.safetensors --out out',
    'run coco --annotations data.yaml --captions captions.json --out out',
    'run coco --annotations "instances_*2017.json" --images images --captions captions.json --out out --export rlipv2',
  ],
  build: async ({ annotations, images, dataset, split, limit, ...options }) => {
    const readsPixels = options.tagger !== undefined || options.captioner !== undefined || options.propose;
    const folders = imageFolders(annotations, images, readsPixels);
    const graph = new Graph('coco');
    const source = await detections({
      annotations,
      compat: options.compat,
      ...(folders.source && { images: folders.source }),
      ...(dataset !== undefined && { dataset }),
      ...(split !== undefined && { split }),
      ...(limit && { limit }),
    });
    pseudoLabel(graph.from(source), 'coco80', { ...options, ...(folders.models && { images: folders.models }) });
    return graph;
  },
});
