import type { ExportFormat } from './export-format.js';
import { imageNumbers } from './image-numbers.js';
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
    const numberOf = imageNumbers(await input.contents(), input.note);
    const graphs = await output.create('scene_graphs.json');
    const images = await output.create('image_data.json');
    let [count, objectId, relationId] = [0, 0, 0];
    for await (const { image, objects, relations } of input.sceneGraphs()) {
      const number = numberOf(image);
      if (!image.file.endsWith(`${number}.jpg`)) input.note('file-name-lost', image.file);
      const first = objectId;
      objectId += objects.length;
      const separator = count++ === 0 ? '[' : ',\n';
      const entry = {
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
      };
      await graphs.write(`${separator}${JSON.stringify(entry)}`);
      const data = { image_id: number, width: image.width, height: image.height, file_name: image.file };
      await images.write(`${separator}${JSON.stringify(data)}`);
    }
    for (const file of [graphs, images]) {
      await file.write(count === 0 ? '[]\n' : ']\n');
      await file.close();
    }
  },
};
