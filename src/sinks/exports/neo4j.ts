import { csvLine } from '../../files/csv-line.js';
import type { ExportFormat } from './export-format.js';
import type { ExportFile } from './export-output.js';
import { pairRelations } from './pair-relations.js';

const HEADERS = {
  'images.csv': ['image:ID(Image)', 'file', 'dataset', 'split', 'width:int', 'height:int', ':LABEL'],
  'objects.csv': [
    'object:ID(Object)',
    'category',
    'x:double',
    'y:double',
    'width:double',
    'height:double',
    'score:double',
    ':LABEL',
  ],
  'contains.csv': [':START_ID(Image)', ':END_ID(Object)', ':TYPE'],
  'relations.csv': [':START_ID(Object)', ':END_ID(Object)', 'predicate', 'confidence:double', ':TYPE'],
} as const;

/** The CSV files that `neo4j-admin database import` reads: images and objects are nodes, relations are edges. */
export const neo4j: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'neo4j',
  summary: 'CSV files of nodes and edges, as neo4j-admin imports them',
  write: async (input, output) => {
    if (input.splits) input.note('split-as-property', input.splits.join(', '));
    const files = new Map<string, ExportFile>();
    for (const [name, header] of Object.entries(HEADERS)) {
      const file = await output.create(name);
      await file.write(csvLine(header));
      files.set(name, file);
    }
    const add = (name: keyof typeof HEADERS, fields: Parameters<typeof csvLine>[0]) =>
      files.get(name)?.write(csvLine(fields));
    for await (const { graph, split } of input.graphs()) {
      const { image } = graph;
      const id = `${image.dataset}/${image.id}`;
      await add('images.csv', [
        id,
        image.file,
        image.dataset,
        split ?? image.split,
        image.width,
        image.height,
        'Image',
      ]);
      for (const [index, { category, box, score }] of graph.objects.entries()) {
        await add('objects.csv', [`${id}#${index}`, category, ...box, score, 'Object']);
        await add('contains.csv', [id, `${id}#${index}`, 'CONTAINS']);
      }
      for (const { subject, object, predicate, confidence } of pairRelations(graph.relations, input.note))
        await add('relations.csv', [`${id}#${subject}`, `${id}#${object}`, predicate, confidence, 'RELATES_TO']);
    }
    for (const file of files.values()) await file.close();
  },
};
