import * as tf from '@tensorflow/tfjs-core';
import { increment } from '../../../records/increment.js';
import { collectPass, recordPass } from '../collect-pass.js';
import { eagerPasses, type ModelPass, type ModelPasses, type NamedTensors } from '../model-passes.js';
import type { RecordOptions } from '../record-kernels.js';
import type { Recording } from '../recording.js';
import { RecordingsByShape } from '../recordings-by-shape.js';
import { addRecording } from './add-recording.js';
import { GraphBuilder } from './graph-builder.js';
import { GraphSession } from './graph-session.js';
import { kernelNodes } from './kernel-nodes.js';
import { PackedData } from './packed-data.js';

/** Options of `RecordedPasses`. */
export interface RecordedPassesOptions {
  /** Which run of its shapes a pass is recorded at, from 1; earlier ones run operation by operation. Default 2. */
  readonly recordedRun?: number;
  /** Passes whose recordings are kept at a time. Default 32. */
  readonly most?: number;
  /**
   * Whether images of one canvas may have other sizes in another run of the same key, see `RecordOptions`. Default false:
   * padding is masked only where there is any.
   */
  readonly isPadded?: boolean;
}

/** A recorded pass as a graph in a session of its own. */
interface Recorded {
  readonly recording: Recording;
  /** Data of the first run. */
  readonly data: ReadonlyMap<string, tf.TypedArray>;
  readonly packed: PackedData;
  /** Inputs of the graph for given tensors, by the tensor's name. */
  readonly given: ReadonlyMap<string, string>;
  readonly outputs: readonly (readonly [name: string, node: string])[];
  readonly session: GraphSession;
  /** Inputs of the graph that set its weights, by the variable. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
  /** Node after which all weights are set. */
  readonly written: string;
  /** Which `refresh` the weights are from. */
  refreshed: number;
}

/**
 * Runs passes as TensorFlow graphs, each recorded once for its shapes. Shapes that come once only are not recorded; those that
 * come often keep their recordings. The weights are those at the time of the recording or of the last `refresh`: each session has
 * variables of its own, which share their memory on a processor.
 */
export class RecordedPasses implements ModelPasses {
  readonly isRecorded = true;
  readonly #options: RecordOptions;
  readonly #recordedRun: number;
  readonly #most: number;
  readonly #recordings: RecordingsByShape<Recorded>;
  /** Runs by key. */
  readonly #runs = new Map<string, number>();
  #warmUp = { recordings: 0, seconds: 0 };
  #refreshes = 0;
  /** Ends with the run before: two at once would both record. */
  #before: Promise<unknown> = Promise.resolve();

  constructor({ recordedRun = 2, most = 32, isPadded = false }: RecordedPassesOptions = {}) {
    this.#options = { target: 'tensorflow', kernels: Object.keys(kernelNodes), isPadded };
    this.#recordedRun = recordedRun;
    this.#most = most;
    this.#recordings = new RecordingsByShape(most, ({ packed, session }) => {
      packed.dispose();
      session.close();
    });
  }

  get warmUp(): ModelPasses['warmUp'] {
    return this.#warmUp;
  }

  run(pass: ModelPass): Promise<NamedTensors> {
    const result = this.#before.then(() => this.#run(pass));
    this.#before = result.catch(() => {});
    return result;
  }

  async #run(pass: ModelPass): Promise<NamedTensors> {
    const { key, values } = collectPass(this.#options, pass);
    if (!this.#isFrequent(key)) return eagerPasses.run(pass);
    const start = performance.now();
    const isNew = !this.#recordings.has(key);
    const recorded = await this.#recordings.of(key, {
      record: () => recordPass(this.#options, pass, values, this.#recordings.peek(key)?.data),
      make: ({ recording, data }) => build(pass, recording, data),
    });
    if (recorded.refreshed !== this.#refreshes) setWeights(recorded);
    recorded.refreshed = this.#refreshes;
    const outputs = run(recorded, pass, values);
    if (!isNew) return outputs;
    this.#warmUp = {
      recordings: this.#warmUp.recordings + 1,
      seconds: this.#warmUp.seconds + (performance.now() - start) / 1000,
    };
    return outputs;
  }

  /** Lets all later runs compute with the weights that the variables have then. */
  refresh(): void {
    this.#refreshes++;
  }

  dispose(): void {
    this.#recordings.dispose();
    this.#runs.clear();
  }

  /** Counts a run. @returns whether it is worth a recording, also if another one has to make room */
  #isFrequent(key: string): boolean {
    increment(this.#runs, key);
    const runs = this.#runs.get(key)!;
    if (runs < this.#recordedRun) return false;
    const { size, oldest } = this.#recordings;
    return size < this.#most || this.#recordings.has(key) || runs > (this.#runs.get(oldest!) ?? 0);
  }
}

/** Builds the graph of a pass, whose weights are not set yet. */
function build(pass: ModelPass, recording: Recording, data: ReadonlyMap<string, tf.TypedArray>): Recorded {
  const graph = new GraphBuilder();
  const names = new Map(Object.entries(pass.given).map(([name, { dataId }]) => [dataId, name]));
  const weights = new Map<tf.Tensor, string>();
  const given = new Map<string, string>();
  const packed = new PackedData(recording, 'data');
  const dataNodes = packed.addTo(graph);
  const nodes = addRecording(graph, recording, {
    data: (name) => dataNodes.get(name)!,
    outside: (tensor) => {
      const name = names.get(tensor.dataId);
      if (name === undefined) {
        const weight = weights.get(tensor) ?? graph.variable(`weight/${weights.size}`, tensor.shape);
        weights.set(tensor, weight);
        return graph.read(weight);
      }
      const node = given.get(name) ?? graph.input(`given/${name}`, tensor.shape, tensor.dtype);
      given.set(name, node);
      return node;
    },
  });
  // A graph does not return what it is given.
  const outputs = Object.entries(nodes).map(([name, node]) => [name, graph.identity(node)] as const);
  const assigned = [...weights].map(([{ shape }, node]) =>
    graph.assign(node, graph.input(setter(node), shape, 'float32')),
  );
  const written = graph.identity(graph.constant([0], [], 'float32'), assigned);
  const inputs = new Map([...weights].map(([tensor, node]) => [setter(node), tensor]));
  return {
    ...{ recording, data, packed, given, outputs, weights: inputs, written, refreshed: -1 },
    session: new GraphSession(graph),
  };
}

const setter = (weight: string): string => `set/${weight}`;

/** Gives the variables of a graph the weights that the model has. */
const setWeights = ({ session, weights, written }: Recorded): void => tf.dispose(session.run(weights, [written]));

function run(
  { data, packed, given, outputs, session }: Recorded,
  pass: ModelPass,
  values: ReadonlyMap<string, tf.TypedArray>,
): NamedTensors {
  const { inputs, dispose } = packed.tensors(new Map([...data, ...values]));
  for (const [name, node] of given) inputs.set(node, pass.given[name]!);
  const tensors = session.run(
    inputs,
    outputs.map(([, node]) => node),
  );
  dispose();
  return Object.fromEntries(outputs.map(([name], k) => [name, tensors[k]!]));
}
