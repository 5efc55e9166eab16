import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { OperatorStamp, Related, SceneGraph } from '../records/scene-graph.js';
import type { Sink } from './sink.js';

/**
 * Writes scene graphs as JSON lines, `schemas/scene-graph.schema.json`.
 *
 * @param name folder of the shards; a graph numbers repeated names: `scene-graphs-2`
 *
 * @example
 * ```ts
 * import { baselineTagger, caption, captionFile, coco, Graph, match, pair, parse, sceneGraphs, tag } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair())
 *   .pipe(tag(baselineTagger()))
 *   .to(sceneGraphs());
 * ```
 */
export function sceneGraphs(name = 'scene-graphs'): Sink<ImageRecord & Related & Partial<Captioned>> {
  return {
    name,
    version: '1',
    needs: ['image', 'detections', 'relations'],
    schema: 'scene-graph',
    line: (record, { operators }) => sceneGraphOf(record, operators),
  };
}

/** Returns the scene graph of a record; a record without relations has none. */
export function sceneGraphOf(
  record: ImageRecord & Partial<Related & Captioned>,
  operators: readonly OperatorStamp[],
): SceneGraph {
  const { image, detections, origin, captions = [], relations = [], tagger = null } = record;
  return {
    format: 'relflow.scene-graph/1',
    image,
    objects: [...detections],
    captions: [...captions],
    relations: [...relations],
    provenance: { origin, operators: [...operators], tagger },
  };
}
