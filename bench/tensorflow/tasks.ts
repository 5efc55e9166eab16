/** The fastest round of a task, in milliseconds. */
export interface TaskTimes {
  readonly name: string;
  readonly wall: number;
  /** Of all threads. */
  readonly processor: number;
}

/** A task of `npm run bench:tensorflow`. */
export interface Task {
  readonly name: string;
  readonly title: string;
  /** Milliseconds of the official PyTorch 2.15 code with two threads on a quiet machine whose product takes `OFFICIAL_PRODUCT`. */
  readonly official?: number;
  /** Wanted time as a multiple of PyTorch's. */
  readonly wanted?: number;
}

export const OFFICIAL_PRODUCT = 33;

export const TASKS: readonly Task[] = [
  { name: 'product', title: '1024³ matrix product', official: OFFICIAL_PRODUCT },
  { name: 'labels', title: '100 label vectors', official: 290 },
  { name: 'encoder', title: 'backbone and encoder, 800 × 1066', official: 5300, wanted: 1 },
  { name: 'decoders1', title: 'decoders, 1 group of 100 pairs', official: 120 },
  { name: 'decoders4', title: 'decoders, 4 groups of 100 pairs', official: 1170 },
  { name: 'step', title: 'training step, 480 × 640', official: 6900, wanted: 1.2 },
];
