import { CocoAnnotations, cocoCategories } from './coco-relations.js';
import type { ExportFormat } from './export-format.js';
import type { Scratch } from './export-output.js';
import { imageNumbers } from './image-numbers.js';
import { JsonSections } from './json-sections.js';
import { nameNumbers } from './name-numbers.js';
import { pairRelations } from './pair-relations.js';

/**
 * The folder that RelTR trains on: COCO's detections for each split, and `rel.json` with the relations of each image as
 * `[subject, object, predicate]`, where objects are positions among the image's annotations and predicates count from 1.
 *
 * Source: RelTR, data/README.md; SGG-Benchmark, sgg_benchmark/data/datasets/h5_to_coco.ipynb.
 */
export const reltr: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'reltr',
  summary: "RelTR's folder: COCO's detections by split, and rel.json",
  write: async (input, output) => {
    const contents = await input.contents();
    const predicates = nameNumbers(contents.predicates.keys(), 1);
    const numberOf = imageNumbers(contents, input.note);
    const annotations = new CocoAnnotations(contents);
    const splits = input.splits ?? ['train'];
    const parts = new Map<string, { detections: JsonSections; relations: Scratch; images: number }>();
    const rel = await output.create('rel.json');
    for (const split of splits) {
      const detections = await JsonSections.create(output, `${split}.json`, ['images', 'annotations']);
      parts.set(split, { detections, relations: await output.scratch(), images: 0 });
    }
    for await (const { graph, split } of input.graphs()) {
      const part = parts.get(split ?? 'train');
      if (!part) continue;
      const { detections, relations } = part;
      const image = numberOf(graph.image);
      const { file, width, height } = graph.image;
      await detections.add('images', { id: image, file_name: file, width, height });
      for (const object of graph.objects) await detections.add('annotations', annotations.of(object, image));
      const pairs = pairRelations(graph.relations, input.note);
      const list = pairs.map(({ subject, object, predicate }) => [subject, object, predicates.get(predicate)]);
      const comma = part.images++ === 0 ? '\n' : ',\n';
      await relations.write(`${comma}"${image}": ${JSON.stringify(list)}`);
    }
    for (const { detections } of parts.values()) await detections.close({ categories: cocoCategories(contents) });
    await rel.write('{');
    // RelTR reads all three, whatever the set has.
    for (const split of new Set([...splits, 'train', 'val', 'test'])) {
      await rel.write(`"${split}": {`);
      await parts.get(split)?.relations.appendTo(rel);
      await rel.write('},\n');
    }
    await rel.write(`"rel_categories": ${JSON.stringify(['__background__', ...predicates.keys()])}}\n`);
    await rel.close();
  },
};
