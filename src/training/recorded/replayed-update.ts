import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../../model/parameter-scope.js';
import {
  flushPrograms,
  type GpuBackend,
  type GpuBuffer,
  type GpuPass,
  type GpuPipeline,
  NUMBER_BYTES,
  STORAGE,
  UNIFORM,
} from '../../model/recording/webgpu/webgpu-device.js';
import type { AdamW } from '../optimizer/adam-w.js';
import { averageDecay, type Ema } from '../optimizer/ema.js';
import { groupOf, type ParameterGroup } from '../optimizer/parameter-group.js';
import { packedNumbers, SQUARED, THREADS, updatePrograms } from './update-programs.js';

/** Most workgroups of a program along one axis that every device supports. */
const MAX_GROUPS = 65535;
/** Most sums of squares of an array, and elements that a thread squares before there is a second workgroup. */
const [MOST_SUMS, SQUARES_PER_THREAD] = [256, 16];

const GROUPS: readonly ParameterGroup[] = ['backbone', 'text', 'rest'];

type ProgramName = keyof typeof updatePrograms;

/** A program with its arguments. */
interface Dispatch {
  readonly program: ProgramName;
  readonly resources: readonly object[];
  readonly groups: readonly [number, number];
}

/** What an update works on. */
export interface ReplayedUpdateOptions {
  readonly optimizer: AdamW;
  readonly ema: Ema | null;
  readonly emaDecay: number | null;
  /** Numbers that a pass results in, of which the first is the loss. */
  readonly resultCount: number;
  /** Batches of a step. */
  readonly batches: number;
}

/** An update that has run. */
export interface UpdateResult {
  /** L2 norm of the gradients before clipping. */
  readonly norm: number;
  /** The results of the last pass. */
  readonly results: Float32Array;
}

/**
 * Clipping, AdamW and the moving average on webgpu, in place: a program for each parameter and one for each seven gradients of
 * the norm, whose pipelines and bind groups are kept. Whether loss and norm are finite is decided on the device, so that an
 * update can follow its pass before either is read.
 */
export class ReplayedUpdate {
  /** Receives the results of a pass. */
  readonly results: GpuBuffer;
  readonly #options: ReplayedUpdateOptions;
  readonly #backend: GpuBackend;
  readonly #gradients = new Map<string, GpuBuffer>();
  readonly #sums = new Map<string, GpuBuffer>();
  /** Names of the parameters that this step has gradients of. */
  readonly #summed = new Set<string>();
  readonly #numbers: GpuBuffer;
  readonly #state: GpuBuffer;
  readonly #pipelines = new Map<ProgramName, GpuPipeline>();
  /** Bind groups by what they are for, with the resources that they bind. */
  readonly #bound = new Map<string, { readonly resources: readonly object[]; readonly group: object }>();
  /** Uniforms of a program that are the same in each step, by their numbers. */
  readonly #slots = new Map<string, GpuBuffer>();
  #partialSums: GpuBuffer | undefined;
  #programs = 0;

  /** The webgpu backend must be active. */
  constructor(options: ReplayedUpdateOptions) {
    this.#options = options;
    this.#backend = tf.backend() as unknown as GpuBackend;
    const { device } = this.#backend;
    const { resultCount } = options;
    this.results = device.createBuffer({ size: NUMBER_BYTES * resultCount, usage: STORAGE });
    this.#state = device.createBuffer({ size: NUMBER_BYTES * (3 + resultCount), usage: STORAGE });
    this.#numbers = device.createBuffer({ size: this.#packed(0, 0).byteLength, usage: UNIFORM });
  }

  /** Number of programs of the last update, and of the sums before it. */
  get programs(): number {
    return this.#programs;
  }

  /** Returns the buffer that receives the gradient of a parameter in each pass. */
  gradientOf(parameter: Parameter): GpuBuffer {
    return this.#bufferOf(this.#gradients, parameter);
  }

  /** Reads the results of the last pass. */
  readResults(): Promise<Float32Array> {
    return this.#read(this.results);
  }

  /**
   * Adds the gradients of a batch to those of the step, divided by the number of batches.
   * @param isLater whether an earlier batch of the step has been added
   */
  add(parameters: readonly Parameter[], isLater: boolean): void {
    if (!isLater) this.#summed.clear();
    const dispatches = parameters.map((parameter): Dispatch => {
      const program = this.#summed.has(parameter.name) ? 'addToSum' : 'setSum';
      const arrays = [this.gradientOf(parameter), this.#bufferOf(this.#sums, parameter)];
      return elementwise(program, [this.#slot([parameter.size, 0, 0, 0]), this.#numbers, ...arrays], parameter.size);
    });
    for (const { name } of parameters) this.#summed.add(name);
    this.#submit(dispatches, this.#packed(0, 0));
    this.#programs = dispatches.length;
  }

  /**
   * Updates weights, moments and averages. Nothing is updated if the loss or the norm is not finite.
   * @param parameters that have gradients; if omitted, those whose gradients `add` has summed
   * @param scheduleFactor multiplies all learning rates
   */
  async run(scheduleFactor: number, parameters?: readonly Parameter[]): Promise<UpdateResult> {
    const { optimizer, ema } = this.#options;
    const summed = parameters === undefined;
    const updated = parameters ?? optimizer.parameters.filter(({ name }) => this.#summed.has(name));
    const gradients = new Map(
      updated.map((parameter) => [parameter, summed ? this.#sums.get(parameter.name)! : this.gradientOf(parameter)]),
    );
    const averages = new Map(ema?.averages.map(({ bucket, average }) => [bucket[0]!, average]));
    const changed: tf.Variable[] = [];
    /** Returns the buffer of a variable, for a program that changes it. */
    const own = (variable: tf.Variable): GpuBuffer => {
      changed.push(variable);
      return this.#ownBuffer(variable);
    };
    const dispatches = this.#normDispatches([...gradients]);
    for (const { bucket, first, second } of optimizer.momentsOf((parameter) => gradients.has(parameter))) {
      const parameter = bucket[0]!;
      const average = averages.get(parameter);
      averages.delete(parameter);
      // A new average shares its numbers with the weight: it takes a copy first.
      const averageBuffer = average && own(average);
      const arrays = [gradients.get(parameter)!, own(parameter.variable), own(first), own(second)];
      if (averageBuffer) arrays.push(averageBuffer);
      const slot = this.#slot([parameter.size, GROUPS.indexOf(groupOf(parameter.name)), 0, 0]);
      const resources = [slot, this.#numbers, this.#state, ...arrays];
      dispatches.push(elementwise(average ? 'weightsAndAverage' : 'weights', resources, parameter.size));
    }
    for (const [parameter, average] of averages) {
      const arrays = [this.#state, this.#bufferOfVariable(parameter.variable), own(average)];
      const resources = [this.#slot([parameter.size, 0, 0, 0]), this.#numbers, ...arrays];
      dispatches.push(elementwise('average', resources, parameter.size));
    }
    this.#submit(dispatches, this.#packed(optimizer.steps + 1, scheduleFactor));
    this.#programs = (summed ? this.#programs : 0) + dispatches.length;
    // Numbers that were read before.
    for (const { dataId } of changed) this.#backend.tensorMap.get(dataId).values = null;
    const state = await this.#read(this.#state);
    if (state[0] === 1) optimizer.countStep();
    return { norm: state[2]!, results: state.subarray(3) };
  }

  dispose(): void {
    const buffers = [...this.#gradients.values(), ...this.#sums.values(), ...this.#slots.values()];
    for (const buffer of [...buffers, this.results, this.#numbers, this.#state, this.#partialSums]) buffer?.destroy();
  }

  /** The programs that decide whether there is an update. */
  #normDispatches(gradients: readonly (readonly [Parameter, GpuBuffer])[]): Dispatch[] {
    // Arrays of about the same size share a program.
    const sorted = [...gradients].sort(([a], [b]) => b.size - a.size);
    const programs: { readonly slots: number[]; readonly arrays: GpuBuffer[]; readonly groups: [number, number] }[] =
      [];
    let sums = 0;
    for (let at = 0; at < sorted.length; at += SQUARED) {
      const some = sorted.slice(at, at + SQUARED);
      const groups = Math.min(MOST_SUMS, Math.ceil(some[0]![0].size / (THREADS * SQUARES_PER_THREAD)));
      const slots = some.flatMap(([{ size }], k) => [size, sums + k * groups, 0, 0]);
      sums += groups * some.length;
      // Every array of the program is bound; those that no workgroup selects are not read.
      const arrays = Array.from({ length: SQUARED }, (_, k) => (some[k] ?? some[0]!)[1]);
      programs.push({ slots, arrays, groups: [groups, some.length] });
    }
    const partialSums = this.#partialSumsOf(sums);
    const squares = programs.map(({ slots, arrays, groups }): Dispatch => {
      const all = [...slots, ...new Array<number>(4 * SQUARED - slots.length).fill(0)];
      return { program: 'squares', resources: [this.#slot(all), partialSums, ...arrays], groups };
    });
    const slot = this.#slot([sums, this.#options.resultCount, 0, 0]);
    const resources = [slot, this.#numbers, partialSums, this.results, this.#state];
    return [...squares, { program: 'decision', resources, groups: [1, 1] }];
  }

  #submit(dispatches: readonly Dispatch[], numbers: Float32Array): void {
    const { device } = this.#backend;
    // What was called before must run before.
    flushPrograms(this.#backend);
    device.queue.writeBuffer(this.#numbers, 0, numbers);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let last: ProgramName | undefined;
    for (const [k, dispatch] of dispatches.entries()) {
      this.#encode(pass, dispatch, `${dispatch.program} ${k}`, last);
      last = dispatch.program;
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  #encode(pass: GpuPass, { program, resources, groups }: Dispatch, key: string, last: ProgramName | undefined): void {
    const pipeline = this.#pipelineOf(program);
    const known = this.#bound.get(key);
    const isSame =
      known?.resources.length === resources.length && resources.every((one, k) => one === known.resources[k]);
    const bound = isSame ? known : { resources, group: this.#groupOf(pipeline, resources) };
    this.#bound.set(key, bound);
    if (program !== last) pass.setPipeline(pipeline);
    pass.setBindGroup(0, bound.group);
    pass.dispatchWorkgroups(groups[0], groups[1], 1);
  }

  #groupOf(pipeline: GpuPipeline, resources: readonly object[]): object {
    return this.#backend.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  #pipelineOf(program: ProgramName): GpuPipeline {
    const known = this.#pipelines.get(program);
    if (known) return known;
    const { device } = this.#backend;
    const module = device.createShaderModule({ code: updatePrograms[program] });
    const made = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    this.#pipelines.set(program, made);
    return made;
  }

  #packed(step: number, scheduleFactor: number): Float32Array {
    const { optimizer, emaDecay, batches } = this.#options;
    const { learningRate, backboneLearningRate, textLearningRate, weightDecay, ...options } = optimizer.options;
    const { beta1, beta2, epsilon, maxGradientNorm } = options;
    const group = (learning: number) => ({
      rate: (learning * scheduleFactor) / (1 - beta1 ** step),
      keep: 1 - learning * scheduleFactor * weightDecay,
    });
    return packedNumbers({
      groups: [backboneLearningRate, textLearningRate, learningRate].map(group),
      ...{ beta1, beta2, epsilon, correction: Math.sqrt(1 - beta2 ** step) },
      averageDecay: emaDecay === null ? 0 : averageDecay(emaDecay, step),
      maxNorm: maxGradientNorm,
      weight: 1 / batches,
    });
  }

  async #read(buffer: GpuBuffer): Promise<Float32Array> {
    const shape = [buffer.size / NUMBER_BYTES];
    const tensor = this.#backend.createTensorFromGPUData({ buffer, zeroCopy: true }, shape, 'float32');
    const numbers = (await tensor.data()) as Float32Array;
    tensor.dispose();
    return numbers;
  }

  /** Returns the buffer of a variable alone, whose numbers no other tensor has. */
  #ownBuffer(variable: tf.Variable): GpuBuffer {
    // A copy on the device.
    if (this.#backend.refCount(variable.dataId) > 1) tf.tidy(() => variable.assign(tf.mul(variable, 1)));
    return this.#bufferOfVariable(variable);
  }

  #bufferOfVariable({ dataId }: tf.Variable): GpuBuffer {
    this.#backend.uploadToGPU(dataId);
    return this.#backend.tensorMap.get(dataId).resource as GpuBuffer;
  }

  #bufferOf(buffers: Map<string, GpuBuffer>, { name, size }: Parameter): GpuBuffer {
    const made = buffers.get(name) ?? this.#backend.device.createBuffer({ size: NUMBER_BYTES * size, usage: STORAGE });
    buffers.set(name, made);
    return made;
  }

  #slot(numbers: readonly number[]): GpuBuffer {
    const key = numbers.join();
    const known = this.#slots.get(key);
    if (known) return known;
    const { device } = this.#backend;
    const made = device.createBuffer({ size: NUMBER_BYTES * numbers.length, usage: UNIFORM });
    device.queue.writeBuffer(made, 0, Uint32Array.from(numbers));
    this.#slots.set(key, made);
    return made;
  }

  #partialSumsOf(count: number): GpuBuffer {
    const size = NUMBER_BYTES * Math.max(1, count);
    if (this.#partialSums && this.#partialSums.size >= size) return this.#partialSums;
    this.#partialSums?.destroy();
    this.#partialSums = this.#backend.device.createBuffer({ size, usage: STORAGE });
    return this.#partialSums;
  }
}

function elementwise(program: ProgramName, resources: readonly object[], size: number): Dispatch {
  const groups = Math.ceil(size / THREADS);
  const rows = Math.ceil(groups / MAX_GROUPS);
  return { program, resources, groups: [Math.ceil(groups / rows), rows] };
}
