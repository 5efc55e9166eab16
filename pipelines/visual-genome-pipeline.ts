import { Graph, OptionError, recipe, sceneGraphs, Type, visualGenome } from '../src/index.js';
import { MAIN } from './option-groups.js';

/** Turns Visual Genome's annotated relations into scene graphs, by default with the official preprocessing. */
export default recipe({
  name: 'visual-genome',
  summary: 'Visual Genome ground truth to scene graphs, with the official preprocessing',
  options: Type.Object(
    {
      objects: Type.Optional(Type.String({ group: MAIN, argument: 'file', description: 'objects.json' })),
      relationships: Type.Optional(Type.String({ group: MAIN, argument: 'file', description: 'relationships.json' })),
      sceneGraphs: Type.Optional(
        Type.String({ group: MAIN, argument: 'file', description: 'scene_graphs.json, instead of the two above' }),
      ),
      imageData: Type.String({
        group: MAIN,
        argument: 'file',
        description: 'image_data.json, with the sizes of the images',
      }),
      objectAliases: Type.Optional(Type.String({ group: MAIN, argument: 'file', description: 'object_alias.txt' })),
      relationshipAliases: Type.Optional(
        Type.String({ group: MAIN, argument: 'file', description: 'relationship_alias.txt' }),
      ),
      images: Type.Optional(
        Type.String({
          group: MAIN,
          argument: 'folder',
          description: 'image folder, tar file or s3:// address; without it, image files are not checked',
        }),
      ),
      preprocess: Type.Boolean({
        group: MAIN,
        default: true,
        description: 'keep names, duplicates and the number of relations unchanged',
      }),
      minOccurrences: Type.Optional(
        Type.Integer({
          group: MAIN,
          minimum: 1,
          description: 'drop relations with a predicate or a name that occurs less often, as the official 20 does',
        }),
      ),
      limit: Type.Optional(Type.Integer({ group: MAIN, minimum: 1, description: 'read only the first n images' })),
    },
    { additionalProperties: false },
  ),
  examples: [
    'run visual-genome --objects objects.json --relationships relationships.json --image-data image_data.json --out vg',
    'run visual-genome --scene-graphs scene_graphs.json --image-data image_data.json --out vg --export rlipv2',
  ],
  build: ({ objects, relationships, sceneGraphs: graphs, ...options }) => {
    const graph = new Graph('visual-genome');
    const files =
      graphs !== undefined ? { sceneGraphs: graphs } : objects && relationships ? { objects, relationships } : null;
    if (!files || (graphs !== undefined && (objects || relationships))) {
      throw new OptionError('visual-genome', 'expected either --scene-graphs, or --objects and --relationships');
    }
    graph.from(visualGenome({ ...files, ...options })).to(sceneGraphs());
    return graph;
  },
});
