import type { Detection } from '../../records/image.js';
import type { ExportContents } from './export-contents.js';
import type { ExportFormat } from './export-format.js';
import { imageNumbers } from './image-numbers.js';
import { JsonSections } from './json-sections.js';
import { nameNumbers } from './name-numbers.js';
import { pairRelations } from './pair-relations.js';

/**
 * COCO's detections with relations, as the COCO forms of VG150 and PSG have them: `rel_annotations` refer to annotations by
 * id and to `rel_categories` by id, which is also the index. Categories have ids from 1.
 *
 * Source: SGG-Benchmark, docs/ANNOTATIONS.md.
 */
export const cocoRelations: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'coco.json',
  summary: "COCO's detections with rel_annotations and rel_categories, for SGG-Benchmark and COCO tools",
  takes: ['license'],
  write: async (input, output) => {
    const contents = await input.contents();
    const predicates = nameNumbers(contents.predicates.keys(), 0);
    const numberOf = imageNumbers(contents, input.note);
    const annotations = new CocoAnnotations(contents);
    const files = new Map<string, JsonSections>();
    let relationId = 0;
    for (const { file, split = '' } of input.parts)
      files.set(split, await JsonSections.create(output, file, ['images', 'annotations', 'rel_annotations']));
    for await (const { graph, split } of input.graphs()) {
      const sections = files.get(split ?? '') as JsonSections;
      const image = numberOf(graph.image);
      const { file, width, height, id } = graph.image;
      await sections.add('images', {
        id: image,
        file_name: file,
        width,
        height,
        ...(id !== image && { original_id: id }),
      });
      const ids: number[] = [];
      for (const object of graph.objects) {
        const annotation = annotations.of(object, image);
        ids.push(annotation.id);
        await sections.add('annotations', annotation);
      }
      for (const { subject, object, predicate, confidence } of pairRelations(graph.relations, input.note)) {
        await sections.add('rel_annotations', {
          id: ++relationId,
          image_id: image,
          subject_id: ids[subject],
          object_id: ids[object],
          predicate_id: predicates.get(predicate),
          ...(confidence !== undefined && { score: confidence }),
        });
      }
    }
    const { license } = input.options;
    const info = {
      description: 'Scene graphs exported by relflow',
      version: '1.0',
      ...(license !== undefined && { license }),
    };
    for (const sections of files.values()) {
      await sections.close({
        info,
        licenses: license === undefined ? [] : [{ id: 1, name: license }],
        categories: cocoCategories(contents),
        rel_categories: [...predicates].map(([name, id]) => ({ id, name })),
      });
    }
  },
};

/** The categories in COCO's form, with ids from 1. */
export function cocoCategories({ categories }: ExportContents) {
  return [...categories.keys()].map((name, index) => ({ id: index + 1, name, supercategory: 'none' }));
}

/** Makes COCO's annotations of objects, with ids of their own if they are not whole numbers, each once. */
export class CocoAnnotations {
  readonly #contents: ExportContents;
  readonly #categories: ReadonlyMap<string, number>;
  #last = 0;

  constructor(contents: ExportContents) {
    this.#contents = contents;
    this.#categories = nameNumbers(contents.categories.keys(), 1);
  }

  of({ id, category, box, score }: Detection, image: number) {
    const own = this.#contents.hasNumericObjectIds ? (id as number) : ++this.#last;
    return {
      id: own,
      image_id: image,
      category_id: this.#categories.get(category) as number,
      bbox: box,
      area: box[2] * box[3],
      iscrowd: 0,
      segmentation: [],
      ...(score !== undefined && { score }),
    };
  }
}
