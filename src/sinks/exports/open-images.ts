import { csvLine } from '../../files/csv-line.js';
import type { Box } from '../../records/box.js';
import type { ExportFormat } from './export-format.js';
import { pairRelations } from './pair-relations.js';
import { millionths } from './rounded-corners.js';

/** The header of Open Images' file, whose corners come as both x, then both y. */
const HEADER = 'ImageID,LabelName1,LabelName2,XMin1,XMax1,YMin1,YMax1,XMin2,XMax2,YMin2,YMax2,RelationshipLabel\n';

/**
 * Open Images' relations as CSV: boxes as fractions of the image, and names of categories as labels, since the ids of Open
 * Images (`/m/…`) are not known. An image without relations has no row.
 *
 * Source: Open Images V6, oidv6-train-annotations-vrd.csv.
 */
export const openImages: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'open-images-vrd.csv',
  summary: "Open Images' relations as CSV, boxes as fractions of the image",
  write: async (input, output) => {
    for (const { file, split } of input.parts) {
      const target = await output.create(file);
      await target.write(HEADER);
      for await (const { image, objects, relations } of input.sceneGraphs(split)) {
        const fractions = ([x, y, w, h]: Box) =>
          [x / image.width, (x + w) / image.width, y / image.height, (y + h) / image.height].map(millionths);
        // The id of an image in Open Images is the name of its file.
        const id = image.file.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
        const pairs = pairRelations(relations, input.note);
        if (pairs.length === 0) input.note('image-without-relations', image.file);
        for (const { subject, object, predicate } of pairs) {
          const [from, to] = [objects[subject], objects[object]];
          if (!from || !to) continue;
          const boxes = [...fractions(from.box), ...fractions(to.box)];
          await target.write(csvLine([id, from.category, to.category, ...boxes, predicate]));
        }
      }
      await target.close();
    }
  },
};
