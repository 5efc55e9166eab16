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
 */
export class Graph implements GraphDefinition {
  readonly name: string;
  readonly #nodes: Node[] = [];
  readonly #finishers: Finisher[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Every node after those before it. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** What is made of the whole run, after the last record and before the manifest. */
  get finishers(): readonly Finisher[] {
    return this.#finishers;
  }

  /** Begins a flow of records. Several sources are read one after another, in the order in which they were added. */
  from<R extends object>(source: Source<R>): Flow<R> {
    return new Flow<R>(this, this.add({ kind: 'source', source, inputs: [] }, source.name));
  }

  /** One flow of several, such as ground truth beside pseudo-labels. */
  merge<Flows extends readonly [Flow<object>, ...Flow<object>[]]>(...flows: Flows): Flow<RecordOf<Flows[number]>> {
    for (const flow of flows) this.#own(flow);
    const inputs = flows.map((flow) => flow.node);
    const twice = inputs.find((node, index) => inputs.indexOf(node) !== index);
    if (twice) throw new WiringError(`${this.name}: merge got the flow behind '${twice.id}' twice`);
    return new Flow<RecordOf<Flows[number]>>(this, this.add({ kind: 'merge', inputs }, 'merge'));
  }

  /** Adds what is made of the whole run at its end: a page, one JSON of everything. */
  finish(finisher: Finisher): this {
    if (this.#finishers.some(({ name }) => name === finisher.name)) {
      throw new WiringError(`${this.name}: '${finisher.name}' is there twice`);
    }
    this.#finishers.push(finisher);
    return this;
  }

  /** Used by flows; numbers names that occur again: parse, parse-2… */
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

/** Records of type R on their way through a graph. Using a flow twice branches it: each branch gets every record. */
export class Flow<R extends object> {
  readonly graph: Graph;
  readonly node: Node;
  /** Only for the compiler: what this flow carries. */
  declare readonly carries: R;

  constructor(graph: Graph, node: Node) {
    this.graph = graph;
    this.node = node;
  }

  /** Adds a stage. A stage that needs what this flow does not carry is a compile-time error. */
  pipe<Adds extends object>(operator: Operator<R, Adds>): Flow<R & Adds> {
    const spec: unknown = operator.spec;
    return new Flow<R & Adds>(
      this.graph,
      this.graph.add({ kind: 'stage', spec: spec as AnySpec, inputs: [this.node] }, operator.spec.name),
    );
  }

  /** Keeps the records for which `keep` is true. `name` says what is kept: `with-relations`. */
  filter(name: string, keep: (record: R) => boolean): Flow<R> {
    return this.pipe(filter<R>(name, [], keep)) as Flow<R>;
  }

  /** Sends every record to a sink; the flow can go on to further stages and sinks. */
  to(sink: Sink<R>): this {
    this.graph.add({ kind: 'sink', sink, inputs: [this.node] }, sink.name);
    return this;
  }

  /** The flow's records, pulled one by one in the order of the input. */
  records(options: RecordsOptions = {}): AsyncIterable<R> {
    return streamRecords(this.graph, this.node, options) as AsyncIterable<R>;
  }

  /**
   * The flow's records as an Observable, cold and in the order of the input. RxJS can't slow a source down, so a
   * subscriber that is slower than the source wants `records` instead.
   */
  observable(options: RecordsOptions = {}): Observable<R> {
    return fromRx(this.records(options));
  }
}
