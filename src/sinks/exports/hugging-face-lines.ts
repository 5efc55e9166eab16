import { croissant } from './croissant.js';
import { datasetCard } from './dataset-card.js';
import { ContentsCounter } from './export-contents.js';
import type { ExportFormat } from './export-format.js';
import { ExportedImages } from './exported-images.js';
import { graphColumns, graphRow } from './hugging-face.js';
import { SplitLines } from './split-lines.js';

/** A folder that `datasets.load_dataset` reads: a JSON Lines file for each split, images next to them, card and Croissant. */
export const huggingFaceLines: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'huggingface-jsonl',
  summary: 'a Hugging Face dataset: JSON Lines, images copied or linked, card, Croissant',
  takes: ['images', 'imageFiles', 'license'],
  write: async (input, output) => {
    const counter = new ContentsCounter(input.options);
    const images = new ExportedImages(input, output, 'copy');
    const lines = await SplitLines.create(input, output, 'data/');
    for await (const item of input.graphs()) {
      const { graph, split } = item;
      counter.add(item);
      const row = graphRow(graph);
      const placed = await images.place(graph.image, 'images');
      if (placed !== null) row['file_name'] = placed;
      await lines.add(split, row);
    }
    await lines.close();
    const contents = counter.contents();
    await output.write('README.md', [datasetCard(input, contents, 'jsonl', output.files)]);
    const columns = graphColumns(contents.hasNumericImageIds);
    await output.write('croissant.json', [croissant(input, contents, columns, output.files)]);
  },
};
