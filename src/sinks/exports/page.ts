import { buildReportPage } from '../report-page.js';
import type { ExportFormat } from './export-format.js';

/** A self-contained HTML page with a few images and relations. */
export const page: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'page.html',
  summary: 'a self-contained HTML page with a few images and relations',
  takes: ['images', 'scenes', 'sample'],
  write: async (input, output) => {
    const { images, scenes, sample, seed = 0 } = input.options;
    for (const { file, split } of input.parts) {
      const options = {
        title: 'relflow',
        ...(images !== undefined && { images }),
        ...(scenes !== undefined && { scenes }),
        ...(sample && { sample: seed }),
      };
      const { page, notShown } = await buildReportPage(input.sceneGraphs(split), options);
      for (const name of notShown) input.note('image-not-shown', name);
      await output.write(file, [page]);
    }
  },
};
