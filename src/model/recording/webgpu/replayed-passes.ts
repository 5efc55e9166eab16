import * as tf from '@tensorflow/tfjs-core';
import { collectPass, recordPass } from '../collect-pass.js';
import { eagerPasses, type ModelPass, type ModelPasses, type NamedTensors } from '../model-passes.js';
import type { Recording } from '../recording.js';
import { RecordingsByShape } from '../recordings-by-shape.js';
import { SharedBuffers } from './shared-buffers.js';
import type { GpuBackend, GpuBuffer } from './webgpu-device.js';
import { WebgpuReplay } from './webgpu-replay.js';

/** Images of a pass have the sizes that its key names, so that padding is masked only where there is any. */
const OPTIONS = { target: 'webgpu', isPadded: false } as const;

/** Passes whose programs are kept at a time; the least recently used one makes room. */
const MAX_REPLAYS = 16;

interface Replayed {
  readonly recording: Recording;
  /** Data of the first run. */
  readonly data: ReadonlyMap<string, tf.TypedArray>;
  /** Names of the given tensors by what they were in the recording. */
  readonly given: ReadonlyMap<tf.DataId, string>;
  readonly replay: WebgpuReplay;
}

/**
 * Runs passes with programs and buffers that are made once for each shape, when it comes for the second time. All passes share
 * their buffers.
 */
export class ReplayedPasses implements ModelPasses {
  readonly isRecorded = true;
  readonly #backend = tf.backend() as unknown as GpuBackend;
  readonly #shared = new SharedBuffers(this.#backend.device);
  readonly #replays = new RecordingsByShape<Replayed>(MAX_REPLAYS, ({ replay }) => replay.dispose());
  /** Keys of passes that have run once. */
  readonly #known = new Set<string>();
  #warmUp = { recordings: 0, seconds: 0 };

  get warmUp(): ModelPasses['warmUp'] {
    return this.#warmUp;
  }

  async run(pass: ModelPass): Promise<NamedTensors> {
    const { key, values } = collectPass(OPTIONS, pass);
    if (!this.#known.has(key)) {
      this.#known.add(key);
      return eagerPasses.run(pass);
    }
    const start = performance.now();
    const isNew = !this.#replays.has(key);
    const { replay, data, given } = await this.#replays.of(key, {
      record: () => recordPass(OPTIONS, pass, values, this.#replays.peek(key)?.data),
      make: ({ recording, data }) => ({
        ...{ recording, data },
        given: new Map(Object.entries(pass.given).map(([name, { dataId }]) => [dataId, name])),
        replay: new WebgpuReplay(recording, { shared: this.#shared }),
      }),
    });
    const tensors = new Map([...given].map(([recorded, name]) => [recorded, pass.given[name]!] as const));
    const outputs = this.#copied(replay.run(new Map([...data, ...values]), tensors));
    if (isNew)
      this.#warmUp = {
        recordings: this.#warmUp.recordings + 1,
        seconds: this.#warmUp.seconds + (performance.now() - start) / 1000,
      };
    return outputs;
  }

  dispose(): void {
    this.#replays.dispose();
    this.#shared.dispose();
    this.#known.clear();
  }

  /** Copies outputs on the device, since the next run overwrites them. */
  #copied(outputs: NamedTensors): NamedTensors {
    const copies = Object.entries(outputs).map(([name, { dataId, shape, dtype }]) => {
      const buffer = this.#backend.tensorMap.get(dataId).resource as GpuBuffer;
      return [name, this.#backend.createTensorFromGPUData({ buffer, zeroCopy: false }, shape, dtype)] as const;
    });
    tf.dispose(Object.values(outputs));
    return Object.fromEntries(copies);
  }
}
