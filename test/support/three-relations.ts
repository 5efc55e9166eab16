import type { SceneGraph } from '../../src/index.js';

/** A scene graph with three relations, the last one without an object. */
export function threeRelations(
  changes: Partial<SceneGraph> = {},
  image: Partial<SceneGraph['image']> = {},
): SceneGraph {
  return {
    format: 'relflow.scene-graph/1',
    image: { id: 7, file: '7.jpg', width: 640, height: 480, dataset: 'own', split: '', ...image },
    objects: [
      { id: 11, category: 'person', box: [10, 20, 30, 60] },
      { id: 12, category: 'horse', box: [5.5, 50, 90, 70], score: 0.9 },
    ],
    captions: [{ text: 'a man riding a horse', source: 'captions.json' }],
    relations: [
      { subject: 0, object: 1, predicate: 'riding', confidence: 0.75, captions: [0] },
      { subject: 0, object: 1, predicate: 'next to', confidence: 0.25, captions: [0] },
      { subject: 0, object: null, predicate: 'smiling' },
    ],
    provenance: {
      origin: { source: 'coco', file: 'instances.json' },
      operators: [],
      tagger: { name: 'baseline', version: '1', baseline: true },
    },
    ...changes,
  };
}
