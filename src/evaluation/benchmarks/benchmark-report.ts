/** A value that a protocol or a table shows. */
export type ReportValue = string | number | boolean | null;

/** A 95 % bootstrap interval over images. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** What an evaluator of a benchmark reports; all scores are shares in [0, 1]. */
export interface BenchmarkReport {
  readonly benchmark: string;
  /** The official code whose numbers these are, with its commit. */
  readonly evaluator: string;
  /** Everything that the numbers depend on besides predictions and annotations. */
  readonly protocol: Readonly<Record<string, ReportValue>>;
  /** Counts by kebab-case name: what was evaluated, and what was left out and why. */
  readonly counts: Readonly<Record<string, number>>;
  /** The official numbers by name; null where nothing could be measured. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Intervals of the metrics, if they were asked for. */
  readonly intervals?: Readonly<Record<string, Interval>>;
  /** One row for each class; all rows have the same keys, of which `name` is the first. */
  readonly classes: readonly Readonly<Record<string, ReportValue>>[];
  /** One row for each image that counts, where the official numbers are means over images. */
  readonly images?: readonly Readonly<Record<string, ReportValue>>[];
}

/** What an evaluation has besides the official numbers. */
export interface EvaluationDetails {
  /** Number of resamples of bootstrap intervals; default 0: none. */
  readonly resamples?: number;
  /** Number of highest-scored mistakes to keep; default 0. */
  readonly mistakes?: number;
}

/** A prediction that the evaluator counts as wrong. */
export interface Mistake {
  /** Name of the image file. */
  readonly image: string;
  readonly subject: { readonly box: readonly number[]; readonly category: string };
  readonly predicate: string;
  /** Null if the prediction has no object. */
  readonly object: { readonly box: readonly number[]; readonly category: string } | null;
  readonly score: number;
  /** Why it is wrong: `no-match` or `found-already`. */
  readonly reason: string;
}

/** The curve of a class, for pages. */
export interface ClassCurve {
  readonly name: string;
  readonly ap: number;
  /** Number of true elements. */
  readonly positives: number;
  readonly recall: Float64Array;
  readonly precision: Float64Array;
}

/** A report, and what a page shows besides. */
export interface BenchmarkEvaluation {
  readonly report: BenchmarkReport;
  /** Returns the curve of each class. */
  readonly curves: () => readonly ClassCurve[];
  /** The highest-scored mistakes, if they were asked for. */
  readonly mistakes: readonly Mistake[];
}

/** Returns the mean of the numbers; null if there are none. */
export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
