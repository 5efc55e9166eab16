import { Graph, objects365, recipe, Type } from '../src/index.js';
import { pseudoLabel, pseudoLabelOptions } from './pseudo-label.js';

/** Objects365's boxes and a captioner's captions to scene graphs. */
export default recipe({
  name: 'objects365',
  summary: 'Objects365 v2 detections and captions to scene graphs',
  options: Type.Object(
    {
      annotations: Type.String({ description: 'zhiyuan_objv2_*.json; a path or glob, .gz too' }),
      images: Type.Optional(
        Type.String({ description: 'folder of the patch folders; without it no image is looked for' }),
      ),
      split: Type.Optional(Type.String({ description: 'train, val; default: from the name of the annotation file' })),
      ...pseudoLabelOptions,
    },
    { additionalProperties: false },
  ),
  examples: ['run objects365 --annotations zhiyuan_objv2_train.json --captions "captions_*_4.json" --out o365-graphs'],
  build: ({ annotations, images, split, limit, ...options }) => {
    const graph = new Graph('objects365');
    const source = objects365({
      annotations,
      compat: options.compat,
      ...(images && { images }),
      ...(split !== undefined && { split }),
      ...(limit && { limit }),
    });
    pseudoLabel(graph.from(source), 'objects365', { ...options, ...(images && { images }) });
    return graph;
  },
});
