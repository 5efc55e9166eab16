import { InputError, OptionError } from '../../errors.js';
import { wrapIoErrors } from '../../files/wrap-io-errors.js';
import { writeAtomically } from '../../files/write-atomically.js';
import { checkFraction, checkPositiveInteger } from '../../records/option-checks.js';
import { checkOutputFile } from '../../run-folder/check-output-file.js';
import type { RunFolder } from '../../run-folder/run-folder.js';
import { buildReportPage } from '../report-page.js';
import type { Finisher } from '../sink.js';
import { rlipv2Annotations, rlipv2Candidates, rlipv2FilePaths, rlipv2Frequencies } from './rlipv2-files.js';

/** The export formats, each with the sink that it reads, the default file name and a summary. */
export const EXPORT_FORMATS = {
  rlipv2: { sink: 'scene-graphs', file: 'rlipv2.json', summary: 'the JSON list of annotations that RLIPv2 trains on' },
  'rlipv2-candidates': {
    sink: 'candidates',
    file: 'rlipv2-candidates.json',
    summary: 'the candidate pairs and texts that the official tagger reads',
  },
  'rlipv2-frequencies': {
    sink: 'scene-graphs',
    file: 'rlipv2-frequencies.json',
    summary: 'categories and predicates by frequency (keep_names_freq)',
  },
  'rlipv2-paths': {
    sink: 'scene-graphs',
    file: 'rlipv2-paths.json',
    summary: 'image id to file path, for the official Objects365 loader',
  },
  page: {
    sink: 'scene-graphs',
    file: 'page.html',
    summary: 'a self-contained HTML page with a few images and relations',
  },
} as const;

/** The name of an export format. */
export type ExportFormat = keyof typeof EXPORT_FORMATS;

/** Options of `exportRun` and `exportAs`. */
export interface ExportOptions {
  /** Drops relations below this confidence, in [0, 1]; default 0. Human-annotated relations always stay. */
  readonly minConfidence?: number;
  /** Folder of the images, for the format `page`. */
  readonly images?: string;
  /** Number of scenes to show, for the format `page`. Default 12. */
  readonly scenes?: number;
}

/** Options of `exportRun`. */
export interface ExportRunOptions extends ExportOptions {
  /** Replaces the file if it exists, unless a run wrote it. Default false. */
  readonly overwrite?: boolean;
}

/**
 * Checks the name of an export format.
 * @throws OptionError when the format is unknown
 */
export function exportFormat(name: string): ExportFormat {
  if (Object.hasOwn(EXPORT_FORMATS, name)) return name as ExportFormat;
  throw new OptionError(
    'export',
    `unknown format '${name}', expected one of ${Object.keys(EXPORT_FORMATS).join(', ')}`,
  );
}

/**
 * Writes the shards of a complete run to one file in another format.
 *
 * @returns size and checksum of the file
 * @throws OptionError when an option is out of range
 * @throws InputError when the run is not complete or lacks the sink that the format reads
 * @throws OutputError when the file exists, is one of a run or cannot be written, or when the format is keyed by image id and an id occurs twice
 *
 * @example
 * ```ts
 * import { exportRun, RunFolder } from 'relflow';
 *
 * const { bytes } = await exportRun(new RunFolder('out'), 'rlipv2', 'annotations.json', { minConfidence: 0.3 });
 * console.log(bytes);
 * ```
 */
export async function exportRun(
  folder: RunFolder,
  format: ExportFormat,
  file: string,
  { overwrite = false, ...options }: ExportRunOptions = {},
): Promise<{ bytes: number; sha256: string }> {
  const { sink } = EXPORT_FORMATS[format];
  checkOptions(options);
  const state = await folder.state();
  if (!state) throw new InputError(folder.path, 'not the output folder of a run');
  if (!state.graph.some((node) => node.kind === 'sink' && node.id === sink)) {
    throw new InputError(folder.path, `the run has no sink '${sink}', which the format '${format}' reads`);
  }
  if (!(await folder.manifest())) throw new InputError(folder.path, 'the run is not complete; resume it first');
  await checkOutputFile(file, overwrite);
  return wrapIoErrors(file, async () => writeAtomically(file, await formatRun(folder, format, file, options)));
}

function checkOptions({ minConfidence = 0, scenes = 1 }: ExportOptions): void {
  checkFraction('export', 'minConfidence', minConfidence);
  checkPositiveInteger('export', 'scenes', scenes);
}

async function formatRun(
  folder: RunFolder,
  format: ExportFormat,
  file: string,
  options: ExportOptions,
  signal?: AbortSignal,
): Promise<AsyncIterable<string> | Iterable<string>> {
  const graphs = () => folder.lines('scene-graphs', 'scene-graph', signal);
  switch (format) {
    case 'rlipv2':
      return rlipv2Annotations(graphs(), options);
    case 'rlipv2-candidates':
      return rlipv2Candidates(folder.lines('candidates', 'candidates', signal), file);
    case 'rlipv2-frequencies':
      return rlipv2Frequencies(graphs(), options);
    case 'rlipv2-paths':
      return rlipv2FilePaths(graphs(), file);
    case 'page':
      return [(await buildReportPage(folder, { title: 'relflow', ...options }, signal)).page];
  }
}

/**
 * Makes a finisher that exports a run when it ends, to a file in its folder.
 *
 * @throws OptionError when the format is unknown or an option is out of range
 */
export function exportAs(format: ExportFormat, options: ExportOptions = {}): Finisher {
  const { sink, file: path } = EXPORT_FORMATS[exportFormat(format)];
  checkOptions(options);
  return {
    name: `export-${format}`,
    version: '1',
    options: { ...options },
    needs: [sink],
    finish: async (folder, signal) => {
      const records = (await folder.shards()).flatMap((shard) => shard.files).filter((file) => file.sink === sink);
      const file = folder.pathTo(path);
      const written = await writeAtomically(file, await formatRun(folder, format, file, options, signal));
      return [{ sink: format, path, records: records.reduce((sum, file) => sum + file.records, 0), ...written }];
    },
  };
}
