import type { Candidates } from '../records/candidate.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { CandidateSet, Related, SceneGraph } from '../records/scene-graph.js';
import type { Sink } from './sink.js';

/** Scene graphs as JSON lines, `schemas/scene-graph.schema.json`. */
export function sceneGraphs(name = 'scene-graphs'): Sink<ImageRecord & Related & Partial<Captioned>> {
  return {
    name,
    version: '1',
    needs: ['image', 'detections', 'relations'],
    schema: 'scene-graph',
    line: ({ image, detections, origin, captions = [], relations, tagger }, { operators }): SceneGraph => ({
      format: 'relflow.scene-graph/1',
      image,
      objects: [...detections],
      captions: [...captions],
      relations: [...relations],
      provenance: { origin, operators, tagger },
    }),
  };
}

/** Candidate pairs as JSON lines, `schemas/candidates.schema.json`. */
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
