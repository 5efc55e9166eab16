import { escapeHtml } from '../../files/escape-html.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import type { ExportFormat, ExportInput } from './export-format.js';
import { JsonList } from './json-list.js';
import { pairRelations } from './pair-relations.js';
import { millionths } from './rounded-corners.js';

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
      const tasks = await JsonList.create(output, split === undefined ? 'tasks.json' : `tasks-${split}.json`);
      for await (const graph of input.sceneGraphs(split))
        await tasks.add(task(graph, pairRelations(graph.relations, input.note), input.note));
      await tasks.close();
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

function task(
  { image, objects, provenance, captions }: SceneGraph,
  relations: ReturnType<typeof pairRelations>,
  note: ExportInput['note'],
) {
  // Millionths of a pixel, with the digits that keep them when they are read again.
  const percent = (value: number, side: number) => Math.round((millionths(value) / side) * 1e12) / 1e10;
  const ids = regionIds(objects, note);
  const regions = objects.map(({ category, box: [x, y, w, h], score }, index) => ({
    id: ids[index],
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
      from_id: ids[subject],
      to_id: ids[object],
      direction: 'right',
      labels: [predicate],
      ...(confidence !== undefined && { score: confidence }),
    })),
  ];
  const { tagger } = provenance;
  const meta = { id: image.id, dataset: image.dataset, split: image.split, captions: captions.map(({ text }) => text) };
  return {
    data: { image: `${LOCAL_FILES}${image.file.split('/').map(encodeURIComponent).join('/')}`, ...meta },
    ...(tagger === null
      ? { annotations: [{ result }] }
      : { predictions: [{ model_version: `${tagger.name} ${tagger.version}`, result }] }),
  };
}

/** The ids of objects as texts, by which relations name them; an id that repeats gets a number after it. */
function regionIds(objects: SceneGraph['objects'], note: ExportInput['note']): string[] {
  const taken = new Set(objects.map(({ id }) => String(id)));
  const seen = new Set<string>();
  return objects.map(({ id }) => {
    let text = String(id);
    if (seen.has(text)) note('object-id-repeated', text);
    for (let k = 2; seen.has(text) || (text !== String(id) && taken.has(text)); k++) text = `${id}-${k}`;
    seen.add(text);
    return text;
  });
}
