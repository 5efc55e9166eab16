import { join } from 'node:path';
import { coco, Graph, recipe, reportPage, Type } from '../src/index.js';
import { SPRITES } from '../src/model/tagger/embedded-tagger.js';
import { DEFAULT_THRESHOLD } from '../src/operators/tag.js';
import { packageRoot } from '../src/package-info.js';
import { DEFAULT_MIN_CONFIDENCE } from '../src/parser/neural/neural-parser.js';
import { MAIN } from './option-groups.js';
import { pseudoLabel } from './pseudo-label.js';

const scenes = join(packageRoot, 'fixtures', 'scenes');

const NOTE =
  'The tagger was trained on drawn scenes of the same sprites, for a few minutes on a CPU. It knows these drawings but no photographs; real images need an R-Tagger that was trained on photographs, such as the official checkpoints.';

/** Runs the pipeline `coco` on the scenes and with the tagger that come with the package, and writes a report page. */
export default recipe({
  name: 'demo',
  summary: 'the scenes that come with relflow to scene graphs and a report page',
  options: Type.Object(
    {
      threshold: Type.Number({
        group: MAIN,
        default: DEFAULT_THRESHOLD,
        minimum: 0,
        maximum: 1,
        description: 'keep relations with a score above this',
      }),
      scenes: Type.Integer({ group: MAIN, default: 12, minimum: 1, description: 'number of images on the page' }),
    },
    { additionalProperties: false },
  ),
  examples: ['run demo --out demo-out'],
  build: ({ threshold, scenes: count }) => {
    const graph = new Graph('demo');
    const images = join(scenes, 'images');
    const source = coco({ annotations: join(scenes, 'instances.json'), images, dataset: 'scenes', split: '' });
    pseudoLabel(graph.from(source), 'coco80', {
      captions: join(scenes, 'captions.json'),
      images,
      tagger: SPRITES,
      // Every installation has this backend, and it computes the same numbers everywhere.
      backend: 'wasm',
      threshold,
      allWordings: false,
      geometry: false,
      vocabularyOnly: false,
      overlap: false,
      parser: 'neural',
      minConfidence: DEFAULT_MIN_CONFIDENCE,
      propose: false,
      compat: false,
      seed: 0,
    });
    return graph.finish(reportPage({ title: 'relflow demo', images, scenes: count, note: NOTE }));
  },
});
