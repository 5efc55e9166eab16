import { escapeHtml } from '../../files/escape-html.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import type { ExportFormat } from './export-format.js';
import { pairRelations } from './pair-relations.js';

/** Where Label Studio finds the images of a local storage. */
const LOCAL_FILES = '/data/local-files/?d=';

/**
 * Tasks for Label Studio with boxes and relations, and the labeling configuration that they need. Relations that people made
 * are annotations; others are predictions, which a person accepts or corrects.
 *
 * Source: Label Studio, "Import pre-annotated data" and the tags RectangleLabels and Relations.
 */
export const labelStudio: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'label-studio',
  summary: 'Label Studio tasks with boxes and relations, and the labeling configuration',
  write: async (input, output) => {
    const contents = await input.contents();
    for (const split of input.splits ?? [undefined]) {
      const file = await output.create(split === undefined ? 'tasks.json' : `tasks-${split}.json`);
      let count = 0;
      for await (const graph of input.sceneGraphs(split)) {
        const relations = pairRelations(graph.relations, input.note);
        await file.write(`${count++ === 0 ? '[' : ',\n'}${JSON.stringify(task(graph, relations))}`);
      }
      await file.write(count === 0 ? '[]\n' : ']\n');
      await file.close();
    }
    const lines = (tag: string, names: Iterable<string>) =>
      [...names].map((name) => `    <${tag} value="${escapeHtml(name)}"/>\n`).join('');
    await output.write('labeling-config.xml', [
      '<View>\n  <Image name="image" value="$image" zoom="true"/>\n',
      `  <RectangleLabels name="label" toName="image">\n${lines('Label', contents.categories.keys())}  </RectangleLabels>\n`,
      `  <Relations>\n${lines('Relation', contents.predicates.keys())}  </Relations>\n</View>\n`,
    ]);
  },
};

function task({ image, objects, provenance, captions }: SceneGraph, relations: ReturnType<typeof pairRelations>) {
  const percent = (value: number, side: number) => (value / side) * 100;
  const regions = objects.map(({ category, box: [x, y, w, h], score }, index) => ({
    id: `object-${index}`,
    type: 'rectanglelabels',
    from_name: 'label',
    to_name: 'image',
    original_width: image.width,
    original_height: image.height,
    image_rotation: 0,
    value: {
      x: percent(x, image.width),
      y: percent(y, image.height),
      width: percent(w, image.width),
      height: percent(h, image.height),
      rotation: 0,
      rectanglelabels: [category],
    },
    ...(score !== undefined && { score }),
  }));
  const result = [
    ...regions,
    ...relations.map(({ subject, object, predicate, confidence }) => ({
      type: 'relation',
      from_id: `object-${subject}`,
      to_id: `object-${object}`,
      direction: 'right',
      labels: [predicate],
      ...(confidence !== undefined && { score: confidence }),
    })),
  ];
  const { tagger } = provenance;
  const meta = { id: image.id, dataset: image.dataset, split: image.split, captions: captions.map(({ text }) => text) };
  return {
    data: { image: `${LOCAL_FILES}${encodeURI(image.file)}`, ...meta },
    ...(tagger === null
      ? { annotations: [{ result }] }
      : { predictions: [{ model_version: `${tagger.name} ${tagger.version}`, result }] }),
  };
}
