import { InputError } from '../errors.js';
import { writeAtomically } from './atomic-file.js';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  type Rlipv2Options,
  rlipv2Annotations,
  rlipv2Candidates,
  rlipv2FilePaths,
  rlipv2Frequencies,
} from './rlipv2-files.js';
import type { RunFolder } from './run-folder.js';
import type { Finisher } from './sink.js';

/**
 * Writes a run's shards in another form.
 *
 * @throws InputError where the run has no sink that the format is made from
 */
export async function exportRun(
  folder: RunFolder,
  format: ExportFormat,
  file: string,
  options: Rlipv2Options = {},
): Promise<{ bytes: number; sha256: string }> {
  const { sink } = EXPORT_FORMATS[format];
  const state = await folder.state();
  if (!state?.graph.some((node) => node.kind === 'sink' && node.id === sink)) {
    throw new InputError(folder.path, `the run has no sink '${sink}', which ${format} is made from`);
  }
  return writeAtomically(file, pieces(folder, format, options));
}

function pieces(folder: RunFolder, format: ExportFormat, options: Rlipv2Options): AsyncIterable<string> {
  const graphs = () => folder.lines('scene-graphs', 'scene-graph');
  switch (format) {
    case 'rlipv2':
      return rlipv2Annotations(graphs(), options);
    case 'rlipv2-candidates':
      return rlipv2Candidates(folder.lines('candidates', 'candidates'));
    case 'rlipv2-frequencies':
      return rlipv2Frequencies(graphs(), options);
    case 'rlipv2-paths':
      return rlipv2FilePaths(graphs());
  }
}

/** Exports at the end of a run, as `<format>.json` in its folder. */
export function exportAs(format: ExportFormat, options: Rlipv2Options = {}): Finisher {
  const { sink } = EXPORT_FORMATS[format];
  const path = `${format}.json`;
  return {
    name: `export-${format}`,
    version: '1',
    options: { ...options },
    needs: [sink],
    finish: async (folder) => {
      const records = (await folder.shards()).flatMap((shard) => shard.files).filter((file) => file.sink === sink);
      const written = await exportRun(folder, format, folder.at(path), options);
      return [{ sink: format, path, records: records.reduce((sum, file) => sum + file.records, 0), ...written }];
    },
  };
}
