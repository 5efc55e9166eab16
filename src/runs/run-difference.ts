import { digest } from '../files/digest.js';
import type { RunState } from '../records/run-state.js';
import { graphDifference } from './graph-difference.js';

/** Describes in words how a run differs from the saved one; null when it does not. */
export function runDifference(saved: RunState, current: RunState): string | null {
  const otherGraph = graphDifference(saved, current.graph);
  if (otherGraph) return otherGraph;
  if (digest(saved.inputs) !== digest(current.inputs)) {
    const changed = current.inputs.find((input) => !saved.inputs.some((other) => digest(other) === digest(input)));
    return `the input ${changed?.path ?? 'files'} has changed since`;
  }
  return digest(saved.sharding) === digest(current.sharding)
    ? null
    : 'its shards have other sizes or another compression';
}
