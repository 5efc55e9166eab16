import { Graph, objects365, recipe, Type } from '../src/index.js';
import { imageFolders } from './image-folders.js';
import { MAIN } from './option-groups.js';
import { pseudoLabel, pseudoLabelOptions } from './pseudo-label.js';

/** Turns Objects365's detections and captions from files or a captioner into scene graphs. */
export default recipe({
  name: 'objects365',
  summary: 'Objects365 v2 detections and captions to scene graphs',
  options: Type.Object(
    {
      annotations: Type.String({
        group: MAIN,
        argument: 'files',
        description: 'zhiyuan_objv2_*.json, also .gz; a path or glob',
      }),
      images: Type.Optional(
        Type.String({
          group: MAIN,
          argument: 'folder',
          description:
            'folder with the patch folders; default for models that read pixels: the folder of the annotations; image files are not checked otherwise',
        }),
      ),
      split: Type.Optional(
        Type.String({
          group: 'Selection',
          argument: 'name',
          description: 'train or val; default: from the name of the annotation file',
        }),
      ),
      ...pseudoLabelOptions,
    },
    { additionalProperties: false },
  ),
  examples: ['run objects365 --annotations zhiyuan_objv2_train.json --captions "captions_*_4.json" --out o365-graphs'],
  build: ({ annotations, images, split, limit, ...options }) => {
    const readsPixels = options.tagger !== undefined || options.captioner !== undefined || options.propose;
    const folders = imageFolders(annotations, images, readsPixels);
    const graph = new Graph('objects365');
    const source = objects365({
      annotations,
      compat: options.compat,
      ...(folders.source && { images: folders.source }),
      ...(split !== undefined && { split }),
      ...(limit && { limit }),
    });
    pseudoLabel(graph.from(source), 'objects365', { ...options, ...(folders.models && { images: folders.models }) });
    return graph;
  },
});
