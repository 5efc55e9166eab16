import { escapeHtml } from '../../files/escape-html.js';
import type { Image } from '../../records/image.js';
import type { ExportFormat } from './export-format.js';
import { pairRelations } from './pair-relations.js';

const KEYS = [
  ['image', 'node', 'string'],
  ['category', 'node', 'string'],
  ['x', 'node', 'double'],
  ['y', 'node', 'double'],
  ['width', 'node', 'double'],
  ['height', 'node', 'double'],
  ['score', 'node', 'double'],
  ['predicate', 'edge', 'string'],
  ['confidence', 'edge', 'double'],
] as const;

/** One directed graph of all images: objects are nodes and relations edges, as networkx, Gephi and igraph read it. */
export const graphml: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'graph.graphml',
  summary: 'GraphML, one graph of all images: objects are nodes, relations are edges',
  write: async (input, output) => {
    for (const { file, split } of input.parts) {
      const target = await output.create(file);
      await target.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n',
      );
      for (const [name, kind, type] of KEYS)
        await target.write(`<key id="${kind}-${name}" for="${kind}" attr.name="${name}" attr.type="${type}"/>\n`);
      await target.write('<graph edgedefault="directed">\n');
      for await (const { image, objects, relations } of input.sceneGraphs(split)) {
        const id = nodeIds(image);
        for (const [index, { category, box, score }] of objects.entries()) {
          const [x, y, width, height] = box;
          const data = dataOf('node', { image: image.file, category, x, y, width, height, score });
          await target.write(`<node id="${id(index)}">${data}</node>\n`);
        }
        for (const { subject, object, predicate, confidence } of pairRelations(relations, input.note))
          await target.write(
            `<edge source="${id(subject)}" target="${id(object)}">${dataOf('edge', { predicate, confidence })}</edge>\n`,
          );
      }
      await target.write('</graph>\n</graphml>\n');
      await target.close();
    }
  },
};

/** Makes a function that returns the id of an image's node by the position of the object. */
function nodeIds({ dataset, id }: Image): (index: number) => string {
  const prefix = escapeHtml(`${dataset}/${id}`);
  return (index) => `${prefix}#${index}`;
}

function dataOf(kind: string, values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<data key="${kind}-${name}">${escapeHtml(String(value))}</data>`)
    .join('');
}
