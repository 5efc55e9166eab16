import type { Lane } from '../../operators/operator.js';
import type { Node } from '../node.js';

/** Division of a graph for a run on many machines: consecutive phases, each for one kind of worker. */
export interface Phases {
  /** Lane of each phase. The first phase reads the sources. */
  readonly lanes: readonly Lane[];
  /** Phase of each node. */
  readonly phaseOf: ReadonlyMap<Node, number>;
}

/**
 * Divides a graph into phases. A stage joins the earliest phase of its lane that does not precede the phases of its
 * inputs. The first phase has the sources and the stages after them that read input files, so that only the machines of
 * this phase need the files.
 */
export function phasesOf(nodes: readonly Node[]): Phases {
  const lanes: Lane[] = ['source'];
  const phaseOf = new Map<Node, number>();
  for (const node of nodes) {
    const after = Math.max(0, ...node.inputs.map((input) => phaseOf.get(input) ?? 0));
    phaseOf.set(node, node.kind === 'stage' ? join(lanes, after, laneOf(node)) : after);
  }
  // The first phase only reads; writing needs a second one.
  if (lanes.length === 1) lanes.push('cpu');
  return { lanes, phaseOf };
}

/** Returns the first phase of a lane from `after` on; adds one at the end when there is none. */
function join(lanes: Lane[], after: number, lane: Lane | 'any'): number {
  if (lane === 'any') return after;
  const wanted = lane === 'source' && after > 0 ? 'cpu' : lane;
  const found = lanes.indexOf(wanted, after);
  return found >= 0 ? found : lanes.push(wanted) - 1;
}

function laneOf({ spec }: Node & { kind: 'stage' }): Lane | 'any' {
  return spec.lane ?? (spec.files ? 'source' : 'cpu');
}
