import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../../model/parameter-scope.js';
import { collectData } from '../../model/recording/collect-data.js';
import { recordKernels } from '../../model/recording/record-kernels.js';
import type { Recording } from '../../model/recording/recording.js';
import { checkData, RecordingsByShape } from '../../model/recording/recordings-by-shape.js';
import { addRecording } from '../../model/recording/tensorflow/add-recording.js';
import { GraphBuilder } from '../../model/recording/tensorflow/graph-builder.js';
import { GraphSession } from '../../model/recording/tensorflow/graph-session.js';
import { kernelNodes } from '../../model/recording/tensorflow/kernel-nodes.js';
import { PackedData } from '../../model/recording/tensorflow/packed-data.js';
import type { TrainingBatch } from '../data/training-batch.js';
import {
  type BeforeRun,
  type Forward,
  LOSS_PARTS,
  namedParts,
  type ReadBack,
  type StepLoss,
} from '../loss-gradients.js';
import type { AdamW, MomentValues } from '../optimizer/adam-w.js';
import type { Ema } from '../optimizer/ema.js';
import {
  GRADIENT,
  passData,
  type RecordingStarted,
  recordedDropout,
  recordingStarted,
  recordPass,
} from './record-pass.js';
import { RecordedVariables } from './recorded-variables.js';
import { UPDATE_NUMBERS, updateNodes, updateNumbers } from './update-nodes.js';

const OPTIONS = { target: 'tensorflow', kernels: Object.keys(kernelNodes) } as const;

/** Shapes of batches that have a recording at a time; the least recently used one makes room. */
const MAX_RECORDINGS = 16;

/** What is recorded. */
export interface RecordedStepOptions {
  readonly forward: Forward;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly optimizer: AdamW;
  readonly ema: Ema | null;
  readonly emaDecay: number | null;
  /** Batches of a step. */
  readonly batches: number;
  /** Whether passes have dropout. */
  readonly hasDropout: boolean;
}

/** What a pass depends on besides its batch. */
export interface RecordedPass {
  /** Of the dropout, from 0 to 2³¹ − 1. */
  readonly seed: number;
  /** Whether an earlier batch of the step has pairs. */
  readonly isLater: boolean;
  /** Multiplies all learning rates. */
  readonly scheduleFactor: number;
}

/** A recording in the graph. */
interface Recorded {
  readonly recording: Recording;
  readonly packed: PackedData;
  /** Nodes of the results: that of the only or the first batch of a step, and that of later ones. */
  nodes: { readonly first: string; readonly later: string };
  /** Has the graph of this recording alone; undefined before it is built. */
  session: GraphSession | undefined;
  /** The pass before, from whose outputs `run` needs something; undefined if it needs nothing. */
  readonly before: RecordedOutputs | undefined;
}

/** A recorded pass whose outputs are read back. */
interface RecordedOutputs {
  readonly recording: Recording;
  readonly packed: PackedData;
  /** Nodes of the outputs, by name. */
  nodes: Readonly<Record<string, string>>;
}

/** The passes of a batch and their data. */
interface Passes {
  readonly pass: () => ReturnType<Forward['run']>;
  /** Missing if nothing is read back. */
  readonly outputs: (() => Record<string, tf.Tensor>) | undefined;
  readonly data: () => ReadonlyMap<string, tf.TypedArray>;
  /** Of the shapes by which they are known. */
  readonly key: string;
}

/** `[loss, parts of the loss]`. */
const RESULTS = 1 + LOSS_PARTS.length;

/**
 * Training steps that TensorFlow runs as one graph: forward and backward pass, clipping, AdamW and the moving average. Weights
 * and moments live in a session on the device; `sync` copies them to the parameters, the optimizer and the average.
 */
export class RecordedStep {
  readonly #options: RecordedStepOptions;
  readonly #variables: RecordedVariables;
  readonly #updated: readonly Parameter[];
  /** Names of the parameters that have a gradient. */
  readonly #withGradient = new Set<string>();
  readonly #recordings = new RecordingsByShape<Recorded>(MAX_RECORDINGS, (removed) => this.#remove(removed));
  #session: GraphSession | undefined;
  #updates: number;
  /** L2 norm of the last gradients before clipping. */
  #norm = Number.NaN;
  /** Whether the session has newer weights than the parameters. */
  #isAhead = false;
  #recordedCount = 0;
  /** A session whose recording has made room, but which still has the variables. */
  #orphan: GraphSession | undefined;

  constructor(options: RecordedStepOptions) {
    const { parameters, optimizer, ema } = options;
    this.#options = options;
    this.#updated = optimizer.parameters;
    const updated = new Set(this.#updated);
    this.#variables = new RecordedVariables(parameters.values(), (parameter) => updated.has(parameter), {
      hasAverage: ema !== null,
      hasSums: options.batches > 1,
    });
    this.#updates = optimizer.steps;
  }

  /** Number of updates so far. */
  get updates(): number {
    return this.#updates;
  }

  /**
   * Computes the loss of a batch and its gradients. The update follows at once if a step has one batch.
   * @param onRecording called before a step is recorded, which takes seconds
   */
  async run(
    batch: TrainingBatch,
    { seed, isLater, scheduleFactor }: RecordedPass,
    onRecording: (event: RecordingStarted) => Promise<void>,
  ): Promise<StepLoss> {
    const { forward, batches } = this.#options;
    await forward.prepare(batch);
    const { before } = forward;
    let known = before?.placeholder(batch);
    const dropout = () => recordedDropout(this.#options.hasDropout, seed);
    const pass = () => forward.run(batch, dropout(), known);
    const outputs = before && (() => before.outputs(batch, dropout()));
    const early = passData(OPTIONS, {
      dropout: () => void dropout(),
      alone: () => (before ? before.collectData(batch) : (forward.collectData?.(batch) ?? false)),
      pass: () => void (outputs ?? pass)(),
    });
    /** All data of the pass; that of the targets is made from what is known by then. */
    const data = () => {
      if (!before) return early.values;
      const late = collectData(OPTIONS, () => before.collectTargets(batch, known!));
      return new Map([...early.values, ...late.values]);
    };
    const recorded = await this.#recordedFor(batch, { pass, outputs, data, key: early.key }, onRecording);
    if (before) known = await this.#readBack(before, recorded.before!, early.values, batch);
    const { inputs, dispose } = recorded.packed.tensors(data());
    const numbers = this.#updateTensor(scheduleFactor);
    if (batches === 1) inputs.set(UPDATE_INPUT, numbers);
    const values = await firstOf(this.#session!.run(inputs, [isLater ? recorded.nodes.later : recorded.nodes.first]));
    dispose();
    numbers.dispose();
    const loss = values[0]!;
    if (batches === 1) this.#finish(loss, values[RESULTS]!);
    return { loss, parts: namedParts(values.slice(1, RESULTS)) };
  }

  /**
   * Updates weights and averages, unless `run` has done so.
   * @returns the L2 norm of all gradients before clipping; if it is not finite, nothing is updated
   */
  async update(scheduleFactor: number): Promise<number> {
    if (this.#options.batches === 1) return this.#norm;
    const numbers = this.#updateTensor(scheduleFactor);
    const values = await firstOf(this.#session!.run(new Map([[UPDATE_INPUT, numbers]]), [UPDATE]));
    numbers.dispose();
    this.#finish(0, values[1]!);
    return this.#norm;
  }

  #updateTensor(scheduleFactor: number): tf.Tensor1D {
    const { optimizer, emaDecay } = this.#options;
    const numbers = updateNumbers(optimizer.options, this.#updates + 1, scheduleFactor, emaDecay);
    return tf.tensor1d(UPDATE_NUMBERS.map((name) => numbers[name]));
  }

  #finish(loss: number, norm: number): void {
    this.#norm = norm;
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) return;
    this.#updates++;
    this.#isAhead = true;
  }

  /** Copies weights, moments and averages from the device to the parameters, the optimizer and the average. */
  async sync(): Promise<void> {
    if (!this.#isAhead || !this.#session) return;
    const { optimizer, ema } = this.#options;
    const values = this.#variables.read(this.#session);
    const byNode = new Map(this.#variables.names.map((node, k) => [node, values[k]!]));
    const numbers = async (node: string) => (await byNode.get(node)!.data()) as Float32Array;
    const moments = new Map<string, MomentValues>();
    const averages = new Map<string, Float32Array>();
    for (const { parameter, weight, moments: nodes, average } of this.#variables.trained) {
      parameter.variable.assign(byNode.get(weight)!);
      if (nodes && this.#withGradient.has(parameter.name))
        moments.set(parameter.name, { first: await numbers(nodes.first), second: await numbers(nodes.second) });
      if (average !== undefined) averages.set(parameter.name, await numbers(average));
    }
    optimizer.restore(this.#updates, moments);
    ema?.restore(averages);
    tf.dispose(values);
    this.#isAhead = false;
  }

  dispose(): void {
    this.#recordings.dispose();
    this.#orphan?.close();
  }

  #remove({ packed, before, session }: Recorded): void {
    packed.dispose();
    before?.packed.dispose();
    // The active one closes once its variables have moved.
    if (session === this.#session) this.#orphan = session;
    else session?.close();
  }

  /** Returns the recording for the shapes of the data, whose session has the variables; records first if there is none. */
  async #recordedFor(
    batch: TrainingBatch,
    { pass, outputs, data, key }: Passes,
    onRecording: (event: RecordingStarted) => Promise<void>,
  ): Promise<Recorded> {
    const recorded = await this.#recordings.of(key, {
      record: () => {
        const made = recordPass(OPTIONS, this.#updated, pass);
        checkData(data(), made.data);
        return made;
      },
      onRecording: (calls) => onRecording(recordingStarted(batch, calls)),
      make: ({ recording }) => {
        const prefix = `data/${this.#recordedCount++}`;
        const packed = new PackedData(recording, prefix);
        const before = outputs && this.#recordOutputs(outputs, `${prefix}/before`);
        return { recording, packed, before, nodes: { first: '', later: '' }, session: undefined };
      },
    });
    await this.#activate(recorded);
    return recorded;
  }

  #recordOutputs(outputs: () => Record<string, tf.Tensor>, prefix: string): RecordedOutputs {
    const { recording } = recordKernels(OPTIONS, outputs);
    return { recording, packed: new PackedData(recording, prefix), nodes: {} };
  }

  /** Runs the pass before, and computes what `run` needs from its outputs. */
  async #readBack(
    before: BeforeRun,
    { packed, nodes }: RecordedOutputs,
    data: ReadonlyMap<string, tf.TypedArray>,
    batch: TrainingBatch,
  ): Promise<ReadBack> {
    const { inputs, dispose } = packed.tensors(data);
    const tensors = this.#session!.run(inputs, Object.values(nodes));
    const outputs = Object.fromEntries(Object.keys(nodes).map((name, k) => [name, tensors[k]!]));
    dispose();
    try {
      return await before.readBack(outputs, batch);
    } finally {
      tf.dispose(tensors);
    }
  }

  /** Makes the session of a recording the active one: builds it if there is none, and moves the variables to it. */
  async #activate(recorded: Recorded): Promise<void> {
    recorded.session ??= this.#build(recorded);
    if (recorded.session === this.#session) return;
    const values = this.#session ? this.#variables.read(this.#session) : await this.#initialValues();
    // So that the variables are not copied when they are next updated.
    if (this.#session) this.#variables.release(this.#session);
    this.#variables.write(recorded.session, values);
    tf.dispose(values);
    this.#session = recorded.session;
    this.#orphan?.close();
    this.#orphan = undefined;
  }

  #build(recorded: Recorded): GraphSession {
    const graph = new GraphBuilder();
    const numbers = graph.input(UPDATE_INPUT, [UPDATE_NUMBERS.length], 'float32');
    this.#variables.addTo(graph);
    recorded.nodes = this.#addStep(graph, recorded, numbers);
    if (this.#options.batches > 1) graph.identity(this.#addUpdate(graph, numbers), [], UPDATE);
    return new GraphSession(graph);
  }

  /** Adds a recording that reads the weights. @returns the nodes of its outputs */
  #addPass(graph: GraphBuilder, { recording, packed }: Pick<Recorded, 'recording' | 'packed'>): Record<string, string> {
    const data = packed.addTo(graph);
    const weights = new Map(this.#variables.trained.map(({ parameter, weight }) => [parameter.variable, weight]));
    const reads = new Map<string, string>();
    return addRecording(graph, recording, {
      data: (name) => data.get(name)!,
      outside: (tensor) => {
        const weight = weights.get(tensor as tf.Variable)!;
        const read = reads.get(weight) ?? graph.read(weight);
        reads.set(weight, read);
        return read;
      },
    });
  }

  #addStep(graph: GraphBuilder, recorded: Recorded, numbers: string): Recorded['nodes'] {
    if (recorded.before) recorded.before.nodes = this.#addPass(graph, recorded.before);
    const { results, ...outputs } = this.#addPass(graph, recorded);
    const gradients = Object.fromEntries(
      Object.entries(outputs).map(([name, node]) => [name.slice(GRADIENT.length), node] as const),
    );
    for (const name of Object.keys(gradients)) this.#withGradient.add(name);
    const { batches, optimizer } = this.#options;
    if (batches > 1) {
      const summed = (isLater: boolean) => this.#variables.addToSums(graph, gradients, 1 / batches, isLater);
      const after = (isLater: boolean) => graph.identity(results!, summed(isLater));
      return { first: after(false), later: after(true) };
    }
    const node = updateNodes(graph, {
      ...{ gradients, numbers, variables: this.#variables.trained, options: optimizer.options },
      ...{ results: results!, resultCount: RESULTS },
    });
    return { first: node, later: node };
  }

  /** Adds the update with the sum of the gradients of several batches. */
  #addUpdate(graph: GraphBuilder, numbers: string): string {
    const sums = this.#variables.sums(graph).filter(([name]) => this.#withGradient.has(name));
    return updateNodes(graph, {
      ...{ gradients: Object.fromEntries(sums), numbers, variables: this.#variables.trained },
      ...{ results: graph.constant([0], [1], 'float32'), resultCount: 1, options: this.#options.optimizer.options },
    });
  }

  /** The values that the variables start from, in the order of their names. */
  async #initialValues(): Promise<tf.Tensor[]> {
    const { optimizer, ema, batches } = this.#options;
    const [moments, averages] = [await optimizer.state(), await ema?.state()];
    return this.#variables.trained.flatMap(({ parameter, moments: nodes, average }) => {
      const { name, variable } = parameter;
      const of = (numbers: Float32Array | undefined) =>
        numbers ? tf.tensor(numbers, variable.shape, 'float32') : tf.zeros(variable.shape);
      return [
        tf.clone(variable),
        ...(nodes ? [of(moments.get(name)?.first), of(moments.get(name)?.second)] : []),
        ...(average === undefined ? [] : [of(averages!.get(name))]),
        ...(nodes && batches > 1 ? [tf.zeros(variable.shape)] : []),
      ];
    });
  }
}

/** Reads the first tensor, and disposes of all. */
async function firstOf(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  const values = (await tensors[0]!.data()) as Float32Array;
  tf.dispose([...tensors]);
  return values;
}

/** Node of the update with the sum of several batches. */
const UPDATE = 'updated';
const UPDATE_INPUT = 'update';
