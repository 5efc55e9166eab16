import { from as fromRx, type Observable } from 'rxjs';
import { WiringError } from '../errors.js';
import { filter } from '../operators/filter.js';
import type { Operator } from '../operators/operator.js';
import type { Source } from '../records/ports.js';
import type { Finisher, Sink } from '../sinks/sink.js';
import { type RecordsOptions, streamRecords } from './engine/stream-records.js';
import type { AnySpec, GraphDefinition, Node } from './node.js';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * A pipeline as data: sources, stages, merges and sinks. Nothing runs until `run` or a flow's `records` is called.
 *
 * @example
 * ```ts
 * import { baselineTagger, caption, captionFile, coco, Graph, match, pair, parse, run, sceneGraphs, tag } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph
 *   .from(coco({ annotations: 'instances_train2017.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions_train2017.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair())
 *   .pipe(tag(baselineTagger()))
 *   .to(sceneGraphs());
 * await run(graph, { out: 'out' });
 * ```
 */
export class Graph implements GraphDefinition {
  readonly name: string;
  readonly #nodes: Node[] = [];
  readonly #finishers: Finisher[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Every node, after the nodes that it reads from. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Finishers run over the whole output, after the last record and before the manifest. */
  get finishers(): readonly Finisher[] {
    return this.#finishers;
  }

  /** Starts a flow with the records of a source. Several sources are read one after another, in the order of these calls. */
  from<R extends object>(source: Source<R>): Flow<R> {
    return new Flow<R>(this, this.add({ kind: 'source', source, inputs: [] }, source.name));
  }

  /**
   * Merges flows into one, such as ground truth and pseudo-labels.
   *
   * @throws WiringError when a flow belongs to another graph or occurs twice
   */
  merge<Flows extends readonly [Flow<object>, ...Flow<object>[]]>(...flows: Flows): Flow<RecordOf<Flows[number]>> {
    for (const flow of flows) this.#own(flow);
    const inputs = flows.map((flow) => flow.node);
    const twice = inputs.find((node, index) => inputs.indexOf(node) !== index);
    if (twice) throw new WiringError(`${this.name}: merge got the flow after '${twice.id}' twice`);
    return new Flow<RecordOf<Flows[number]>>(this, this.add({ kind: 'merge', inputs }, 'merge'));
  }

  /**
   * Adds a finisher, which makes one output of the whole run, such as a page or a single JSON file.
   *
   * @throws WiringError when the graph already has a finisher of that name
   */
  finish(finisher: Finisher): this {
    if (this.#finishers.some(({ name }) => name === finisher.name)) {
      throw new WiringError(`${this.name}: the finisher '${finisher.name}' was added twice`);
    }
    this.#finishers.push(finisher);
    return this;
  }

  /** Adds a node; flows call it. A name that occurs again gets a number: parse, parse-2… */
  add(node: DistributiveOmit<Node, 'id'>, name: string): Node {
    let id = name;
    for (let n = 2; this.#nodes.some((other) => other.id === id); n++) id = `${name}-${n}`;
    const added = { id, ...node } as Node;
    this.#nodes.push(added);
    return added;
  }

  #own(flow: Flow<object>): void {
    if (flow.graph !== this) {
      throw new WiringError(`${this.name}: merge got a flow of another graph, ${flow.graph.name}`);
    }
  }
}

/** The record type of a flow. */
export type RecordOf<F> = F extends Flow<infer R> ? R : never;

/** Records of type R at one point of a graph. Using a flow twice branches it: each branch receives every record. */
export class Flow<R extends object> {
  readonly graph: Graph;
  readonly node: Node;
  /** Record type of this flow; exists only for the compiler. */
  declare readonly carries: R;

  constructor(graph: Graph, node: Node) {
    this.graph = graph;
    this.node = node;
  }

  /** Adds a stage. A stage that needs fields that this flow does not carry is a compile-time error. */
  pipe<Adds extends object>(operator: Operator<R, Adds>): Flow<R & Adds> {
    const spec: unknown = operator.spec;
    return new Flow<R & Adds>(
      this.graph,
      this.graph.add({ kind: 'stage', spec: spec as AnySpec, inputs: [this.node] }, operator.spec.name),
    );
  }

  /** Keeps the records for which `keep` returns true. `name` describes them, such as `with-relations`. */
  filter(name: string, keep: (record: R) => boolean): Flow<R> {
    return this.pipe(filter<R>(name, [], keep)) as Flow<R>;
  }

  /** Sends every record to a sink. The flow can continue to further stages and sinks. */
  to(sink: Sink<R>): this {
    this.graph.add({ kind: 'sink', sink, inputs: [this.node] }, sink.name);
    return this;
  }

  /** Returns the flow's records, pulled one by one in the order of the input. */
  records(options: RecordsOptions = {}): AsyncIterable<R> {
    return streamRecords(this.graph, this.node, options) as AsyncIterable<R>;
  }

  /**
   * Returns the flow's records as a cold Observable, in the order of the input. RxJS cannot slow a source down: use
   * `records` for a consumer that is slower than the source.
   */
  observable(options: RecordsOptions = {}): Observable<R> {
    return fromRx(this.records(options));
  }
}
