import type { SceneGraph } from '../../records/scene-graph.js';
import type { ExportFormat } from './export-format.js';
import { ExportedImages } from './exported-images.js';
import { pairRelations } from './pair-relations.js';
import { SplitLines } from './split-lines.js';

const QUESTION = [
  '<image>List the objects of this image with their boxes [x1, y1, x2, y2] in pixels, and how they relate to each other.',
  'Answer with JSON: {"objects": [{"label": "…", "bbox_2d": [x1, y1, x2, y2]}],',
  '"relations": [{"subject": 0, "predicate": "…", "object": 1}]}.',
].join(' ');

/**
 * Conversations for the fine-tuning of vision-language models: an image, a question, and its graph as the answer, in the
 * form `messages` and `images` that LLaMA-Factory, ms-swift and TRL read.
 */
export const chat: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'chat',
  summary: 'JSON Lines of conversations (image, question, graph) for fine-tuning vision-language models',
  takes: ['images', 'imageFiles'],
  write: async (input, output) => {
    const images = new ExportedImages(input, output, 'copy');
    const lines = await SplitLines.create(input, output);
    for await (const { graph, split } of input.graphs()) {
      if (graph.objects.length === 0) {
        input.note('image-without-objects', graph.image.file);
        continue;
      }
      const image = (await images.place(graph.image, 'images')) ?? graph.image.file;
      const relations = pairRelations(graph.relations, input.note);
      await lines.add(split, {
        messages: [
          { role: 'user', content: QUESTION },
          { role: 'assistant', content: JSON.stringify(answer(graph, relations)) },
        ],
        images: [image],
      });
    }
    await lines.close();
  },
};

function answer({ objects }: SceneGraph, relations: ReturnType<typeof pairRelations>) {
  return {
    objects: objects.map(({ category, box: [x, y, w, h] }) => ({
      label: category,
      bbox_2d: [x, y, x + w, y + h].map(Math.round),
    })),
    relations: relations.map(({ subject, predicate, object }) => ({ subject, predicate, object })),
  };
}
