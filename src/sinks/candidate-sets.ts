import type { Candidates } from '../records/candidate.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { CandidateSet } from '../records/scene-graph.js';
import type { Sink } from './sink.js';

/**
 * Writes candidate pairs as JSON lines, `schemas/candidates.schema.json`.
 *
 * @param name folder of the shards; a graph numbers repeated names: `candidates-2`
 *
 * @example
 * ```ts
 * import { candidateSets, caption, captionFile, coco, Graph, match, pair, parse } from 'relflow';
 *
 * const graph = new Graph('candidates');
 * graph
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair())
 *   .to(candidateSets());
 * ```
 */
export function candidateSets(name = 'candidates'): Sink<ImageRecord & Captioned & Candidates> {
  return {
    name,
    version: '1',
    needs: ['image', 'detections', 'captions', 'candidates'],
    schema: 'candidates',
    line: ({ image, detections, origin, captions, candidates }, { operators }): CandidateSet => ({
      format: 'relflow.candidates/1',
      image,
      objects: [...detections],
      captions: [...captions],
      candidates: [...candidates],
      provenance: { origin, operators, tagger: null },
    }),
  };
}
