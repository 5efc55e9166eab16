import type { ExportFormat } from './export-format.js';
import { JsonSections } from './json-sections.js';
import { nameNumbers } from './name-numbers.js';
import { pairRelations } from './pair-relations.js';
import { roundedArea, roundedCorners } from './rounded-corners.js';
import { isTestImage } from './split.js';

/**
 * The JSON file of PSG, with boxes but without panoptic masks: boxes are `[x1, y1, x2, y2]`, relations
 * `[subject, object, predicate]`, and all ids count from 0. With a split, the images of `test` are `test_image_ids`.
 *
 * Source: OpenPSG, openpsg/datasets/psg.py.
 */
export const psg: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'psg.json',
  summary: "PSG's JSON, with boxes and without masks",
  write: async (input, output) => {
    const contents = await input.contents();
    const categories = nameNumbers(contents.categories.keys(), 0);
    const predicates = nameNumbers(contents.predicates.keys(), 0);
    const file = await JsonSections.create(output, 'psg.json', ['data', 'test_image_ids']);
    for await (const { graph, split } of input.graphs()) {
      const { image, objects } = graph;
      const relations = pairRelations(graph.relations, input.note);
      await file.add('data', {
        file_name: image.file,
        height: image.height,
        width: image.width,
        image_id: String(image.id),
        pan_seg_file_name: '',
        segments_info: objects.map(({ category, box }, index) => ({
          id: index + 1,
          category_id: categories.get(category),
          iscrowd: 0,
          isthing: 1,
          area: roundedArea(box),
        })),
        annotations: objects.map(({ category, box }) => ({
          bbox: roundedCorners(box),
          bbox_mode: 0,
          category_id: categories.get(category),
        })),
        relations: relations.map(({ subject, object, predicate }) => [subject, object, predicates.get(predicate)]),
      });
      if (isTestImage(split, image)) await file.add('test_image_ids', String(image.id));
    }
    await file.close({
      thing_classes: [...categories.keys()],
      stuff_classes: [],
      predicate_classes: [...predicates.keys()],
    });
  },
};
