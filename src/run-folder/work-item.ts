import { Ajv2020 } from 'ajv/dist/2020.js';
import { type StageCounts, StageCountsSchema } from '../records/manifest.js';
import { type Reject, RejectSchema } from '../records/reject.js';
import { Type } from '../records/type.js';

/** Record that is pending before a stage of a later phase, as plain JSON. */
export interface PendingRecord {
  /** Id of the stage that processes it next. */
  readonly node: string;
  /** Ids of the nodes that it has passed. */
  readonly trail: readonly string[];
  /** Branches that it has taken, one character per node with several followers. */
  readonly path: string;
  readonly record: object;
}

/** State of one record of the input between two phases. */
export interface WorkItem {
  /** Position in the input, from 0. */
  readonly ordinal: number;
  readonly writes: readonly { readonly sink: string; readonly path: string; readonly line: string }[];
  readonly rejects: readonly { readonly path: string; readonly reject: Reject }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
  /** Empty when no stage remains. */
  readonly pending: readonly PendingRecord[];
}

const path = Type.String();
const schema = Type.Object(
  {
    ordinal: Type.Integer({ minimum: 0 }),
    writes: Type.Array(Type.Object({ sink: Type.String(), path, line: Type.String({ pattern: '^[^\\n]*$' }) })),
    rejects: Type.Array(Type.Object({ path, reject: RejectSchema })),
    stages: Type.Unsafe<Record<string, StageCounts>>({ type: 'object', additionalProperties: StageCountsSchema }),
    pending: Type.Array(
      Type.Object({
        node: Type.String(),
        trail: Type.Array(Type.String()),
        path,
        record: Type.Unsafe<object>({ type: 'object' }),
      }),
    ),
  },
  { additionalProperties: false },
);
const check = new Ajv2020({ strict: true, validateSchema: false }).compile(schema);

/** Returns what is wrong with a value that should be a record between two phases of a graph, or null. */
export function workItemProblem(value: unknown, nodes: ReadonlySet<string>): string | null {
  if (!check(value)) {
    const [error] = check.errors ?? [];
    return `${error?.instancePath || 'the value'} ${error?.message ?? 'is not a record of a run'}`;
  }
  const { writes, rejects, stages, pending } = value as WorkItem;
  const named = [
    ...writes.map(({ sink }) => sink),
    ...rejects.map(({ reject }) => reject.stage),
    ...Object.keys(stages),
    ...pending.flatMap(({ node, trail }) => [node, ...trail]),
  ];
  const unknown = named.find((id) => !nodes.has(id));
  return unknown === undefined ? null : `${JSON.stringify(unknown.slice(0, 80))} is not a node of the graph`;
}
