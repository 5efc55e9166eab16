import type { ExportFormat } from './export-format.js';
import { imageNumbers } from './image-numbers.js';
import { JsonList } from './json-list.js';
import { pairRelations } from './pair-relations.js';

/**
 * Visual Genome's `scene_graphs.json` and `image_data.json`. Readers find an image by its number, so that a file with another
 * name is counted as `file-name-lost`; `image_data.json` has it as `file_name`.
 *
 * Source: Visual Genome v1.4.
 */
export const visualGenome: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'visual-genome',
  summary: "Visual Genome's scene_graphs.json and image_data.json",
  write: async (input, output) => {
    if (input.splits) input.note('split-lost', input.splits.join(', '));
    const numberOf = imageNumbers(await input.contents(), input.note);
    const graphs = await JsonList.create(output, 'scene_graphs.json');
    const images = await JsonList.create(output, 'image_data.json');
    let [objectId, relationId] = [0, 0];
    for await (const { image, objects, relations } of input.sceneGraphs()) {
      const number = numberOf(image);
      if (!image.file.endsWith(`${number}.jpg`)) input.note('file-name-lost', image.file);
      const first = objectId;
      objectId += objects.length;
      await graphs.add({
        image_id: number,
        objects: objects.map(({ category, box: [x, y, w, h] }, index) => ({
          object_id: first + index + 1,
          x,
          y,
          w,
          h,
          names: [category],
          synsets: [],
        })),
        relationships: pairRelations(relations, input.note).map(({ subject, object, predicate, confidence }) => ({
          relationship_id: ++relationId,
          predicate,
          subject_id: first + subject + 1,
          object_id: first + object + 1,
          synsets: [],
          ...(confidence !== undefined && { confidence }),
        })),
      });
      await images.add({ image_id: number, width: image.width, height: image.height, file_name: image.file });
    }
    for (const list of [graphs, images]) await list.close();
  },
};
