import { basename } from 'node:path';
import { InputError, OptionError } from '../../errors.js';
import { wrapIoErrors } from '../../files/wrap-io-errors.js';
import type { OutputFile } from '../../records/manifest.js';
import type { RunFolder } from '../../run-folder/run-folder.js';
import type { Finisher } from '../sink.js';
import type { ExportAbout } from './export-format.js';
import { EXPORT_FORMATS, type ExportFormatName, exportFormat } from './export-formats.js';
import { checkFormatOptions, type ExportResult, exportGraphs, writeExport } from './export-graphs.js';
import type { ExportOptions } from './export-options.js';

/** Options of `exportRun`. */
export interface ExportRunOptions extends ExportOptions {
  /** Replaces the file or folder if an export wrote it, but never a run's own. Default false. */
  readonly overwrite?: boolean;
}

/**
 * Writes the scene graphs of a complete run to a file or folder in another format.
 *
 * @param path the file or, for a format of several files and for a split set, the folder to write
 * @returns the files, and what the format could not carry
 * @throws OptionError when an option is out of range, or has no effect on the format
 * @throws InputError when the run is not complete or lacks the sink that the format reads
 * @throws OutputError when something is at the path that may not be replaced, or it cannot be written; for the format
 * `rlipv2-candidates`, which is keyed by image id, also when an id occurs twice
 *
 * @example
 * ```ts
 * import { exportRun, RunFolder } from 'relflow';
 *
 * const { bytes, notes } = await exportRun(new RunFolder('out'), 'coco', 'relations.json', { where: 'confidence >= 0.3' });
 * console.log(bytes, notes);
 * ```
 */
export async function exportRun(
  folder: RunFolder,
  format: ExportFormatName,
  path: string,
  options: ExportRunOptions = {},
): Promise<ExportResult> {
  const { sink } = EXPORT_FORMATS[format];
  checkFormatOptions(format, options);
  const state = await folder.state();
  if (!state) throw new InputError(folder.path, 'not the output folder of a run');
  if (!state.graph.some((node) => node.kind === 'sink' && node.id === sink)) {
    throw new InputError(folder.path, `the run has no sink '${sink}', which the format '${format}' reads`);
  }
  if (!(await folder.manifest())) throw new InputError(folder.path, 'the run is not complete; resume it first');
  return wrapIoErrors(path, async () => exportGraphs(await sourceOf(folder), format, path, options));
}

/** The scene graphs and candidates of a run, as an export reads them. */
async function sourceOf(folder: RunFolder, signal?: AbortSignal) {
  return {
    graphs: () => folder.lines('scene-graphs', 'scene-graph', signal),
    candidates: () => folder.lines('candidates', 'candidates', signal),
    about: await aboutRun(folder),
  };
}

async function aboutRun(folder: RunFolder): Promise<ExportAbout> {
  const [state, manifest] = await Promise.all([folder.state(), folder.manifest()]);
  const graph = manifest?.graph ?? state?.graph ?? [];
  return {
    name: basename(folder.path),
    inputs: (manifest?.inputs ?? []).map(({ path, sha256 }) => ({ file: path, sha256 })),
    stages: graph.filter(({ kind }) => kind === 'stage').map(({ name, version }) => `${name} ${version}`),
  };
}

/**
 * Makes a finisher that exports a run when it ends, to a file in its folder.
 *
 * @throws OptionError when the format is unknown or one of several files, or an option is out of range
 */
export function exportAs(format: ExportFormatName, options: ExportOptions = {}): Finisher {
  const { sink, file: path, kind } = EXPORT_FORMATS[exportFormat(format)];
  checkFormatOptions(format, options);
  // As in `reportPage`: another folder with the same images makes the same file.
  const { images: _, ...described } = options;
  if (kind === 'folder' || options.split !== undefined)
    throw new OptionError(
      'export',
      `the format '${format}' is ${kind === 'folder' ? 'a folder' : 'a folder for a split set'}; export it when the run is finished: relflow export RUN --format ${format} --out FOLDER`,
    );
  return {
    name: `export-${format}`,
    version: '2',
    options: described,
    needs: [sink],
    finish: async (folder, signal) => {
      const records = (await folder.shards()).flatMap((shard) => shard.files).filter((file) => file.sink === sink);
      const { files, notes } = await writeExport(await sourceOf(folder, signal), format, folder.pathTo(path), options);
      const count = records.reduce((sum, file) => sum + file.records, 0);
      return files.map(
        (file): OutputFile => ({
          sink: format,
          path,
          records: count,
          bytes: file.bytes ?? 0,
          sha256: file.sha256 ?? '',
          ...(Object.keys(notes).length > 0 && { notes }),
        }),
      );
    },
  };
}
