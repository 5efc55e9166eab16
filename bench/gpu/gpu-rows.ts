import { decoding, ENCODING } from '../model/format-report.js';

/** Result of the steps of one model and size. */
export interface StepMeasurement {
  /** Median of the later steps. */
  readonly milliseconds: number;
  /** The first step, which records and compiles. */
  readonly first: number;
  readonly isRecorded: boolean;
  /** Name of the GPU, or of the software that stands for one; missing on a processor. */
  readonly adapter?: string;
  /** Programs of a recorded step on webgpu. */
  readonly programs?: number;
  /** The first and the last loss. */
  readonly losses: readonly [number, number];
  /** Memory that the backend has allocated on the GPU. */
  readonly deviceBytes?: number;
}

/** A row of the table. */
export interface GpuRow {
  readonly name: string;
  /** Milliseconds of the official PyTorch code in fp32 on an NVIDIA H200 (driver 580, PyTorch 2.11, CUDA 13.0). */
  readonly official: number;
  /** Wanted milliseconds as a multiple of PyTorch's: on tensorflow and on webgpu. */
  readonly wanted: { readonly tensorflow: number; readonly webgpu?: number };
}

const step = (name: string, official: number): GpuRow => ({ name, official, wanted: { tensorflow: 1, webgpu: 3 } });
const pass = (name: string, official: number): GpuRow => ({ name, official, wanted: { tensorflow: 1.2 } });

/** Forward passes of the R-Tagger, by the names of `npm run bench:model`. */
export const FORWARD_ROWS: readonly GpuRow[] = [
  pass(ENCODING, 46),
  pass(decoding(1), 37),
  pass(decoding(4), 19),
  pass('100 label vectors, cold', 5.5),
];

/** Training steps: model, and height, width and images of the batch. */
export const STEP_ROWS: readonly (GpuRow & { readonly model: string; readonly size: string })[] = [
  { ...step('R-Tagger step, 480 × 640, 1 image', 174), model: 'tagger', size: '480x640x1' },
  { ...step('R-Tagger step, 800 × 1066, 2 images', 230), model: 'tagger', size: '800x1066x2' },
  { ...step('ParSeDA step, 480 × 640, 1 image', 299), model: 'parseda', size: '480x640x1' },
  { ...step('ParSeDA step, 800 × 1066, 2 images', 306), model: 'parseda', size: '800x1066x2' },
];

/** What was measured of a row on a backend, as `--json` writes it. */
export interface RowResult {
  readonly row: string;
  readonly backend: string;
  /** Milliseconds; missing if the row failed. */
  readonly milliseconds?: number;
  /** Milliseconds of the official code that they are compared with. */
  readonly official: number;
  readonly wanted?: number;
  /** Why there is no measurement. */
  readonly error?: string;
  readonly firstMilliseconds?: number;
  readonly isRecorded?: boolean;
  /** Name of the GPU; missing on a processor. */
  readonly adapter?: string;
  readonly programs?: number;
  readonly losses?: readonly [number, number];
  /** Share of the time in which the GPU was busy, in percent, and its memory in bytes, by `nvidia-smi`. */
  readonly gpuBusy?: number;
  readonly gpuBytes?: number;
  /** Memory that the backend has allocated on the GPU, in bytes. */
  readonly deviceBytes?: number;
}
