import type { SceneGraph } from '../../records/scene-graph.js';

/** A scene graph and its split. */
export interface SplitGraph {
  readonly graph: SceneGraph;
  /** One of the splits of the export; null if the set is not split. */
  readonly split: string | null;
}
