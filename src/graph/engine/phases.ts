import type { Lane } from '../../operators/operator.js';
import type { Node } from '../node.js';

/** How a graph is cut for a run on many machines: one phase after another, each for one kind of worker. */
export interface Phases {
  /** Who does each phase. The first one reads the sources. */
  readonly lanes: readonly Lane[];
  /** The phase of each node. */
  readonly phaseOf: ReadonlyMap<Node, number>;
}

/**
 * Cuts a graph into phases. A stage joins the earliest phase of its lane that does not come before its inputs; sources,
 * and stages behind them that read input files, are the first phase, so that the other machines need none of the files.
 */
export function phasesOf(nodes: readonly Node[]): Phases {
  const lanes: Lane[] = ['source'];
  const of = new Map<Node, number>();
  for (const node of nodes) {
    const after = Math.max(0, ...node.inputs.map((input) => of.get(input) ?? 0));
    of.set(node, node.kind === 'stage' ? join(lanes, after, laneOf(node)) : after);
  }
  // What the last phase writes is no longer the sources' business.
  if (lanes.length === 1) lanes.push('cpu');
  return { lanes, phaseOf: of };
}

/** The first phase of a lane, from `after` on; a new one at the end where there is none. */
function join(lanes: Lane[], after: number, lane: Lane | 'any'): number {
  if (lane === 'any') return after;
  const wanted = lane === 'source' && after > 0 ? 'cpu' : lane;
  const found = lanes.indexOf(wanted, after);
  return found >= 0 ? found : lanes.push(wanted) - 1;
}

function laneOf({ spec }: Node & { kind: 'stage' }): Lane | 'any' {
  return spec.lane ?? (spec.files ? 'source' : 'cpu');
}
