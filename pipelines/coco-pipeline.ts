import { coco, Graph, recipe, Type } from '../src/index.js';
import { pseudoLabel, pseudoLabelOptions } from './pseudo-label.js';

/** COCO's boxes and anybody's captions to scene graphs. */
export default recipe({
  name: 'coco',
  summary: 'COCO detections and captions to scene graphs',
  options: Type.Object(
    {
      annotations: Type.String({ description: 'instances_*.json; a path or glob, .gz too' }),
      images: Type.Optional(Type.String({ description: 'folder of the images; without it no image is looked for' })),
      dataset: Type.String({ default: 'coco2017', description: 'name of the data set' }),
      split: Type.Optional(Type.String({ description: 'train2017…; default: from the name of the annotation file' })),
      ...pseudoLabelOptions,
    },
    { additionalProperties: false },
  ),
  examples: [
    'run coco --annotations instances_train2017.json --captions captions_train2017.json --out coco-graphs',
    'run coco --annotations instances.json --images images --captions captions.json --tagger tagger.safetensors --out out',
    'run coco --annotations "instances_*2017.json" --images images --captions captions.json --out out --export rlipv2',
  ],
  build: ({ annotations, images, dataset, split, limit, ...options }) => {
    const graph = new Graph('coco');
    const source = coco({
      annotations,
      dataset,
      compat: options.compat,
      ...(images && { images }),
      ...(split !== undefined && { split }),
      ...(limit && { limit }),
    });
    pseudoLabel(graph.from(source), 'coco80', { ...options, ...(images && { images }) });
    return graph;
  },
});
