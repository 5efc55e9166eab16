import type { ExportFormat } from './export-format.js';
import { rlipv2Annotations, rlipv2Candidates, rlipv2FilePaths, rlipv2Frequencies } from './rlipv2-files.js';

/** The JSON list of annotations that RLIPv2 trains on. */
export const rlipv2: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'rlipv2.json',
  summary: 'the JSON list of annotations that RLIPv2 trains on',
  write: async (input, output) => {
    for (const { file, split } of input.parts)
      await output.write(file, rlipv2Annotations(input.sceneGraphs(split), input.note));
  },
};

/** The candidate pairs and texts that the official tagger reads. */
export const candidates: ExportFormat = {
  sink: 'candidates',
  kind: 'file',
  file: 'rlipv2-candidates.json',
  summary: 'the candidate pairs and texts that the official tagger reads',
  write: (input, output) => output.write('', rlipv2Candidates(input.candidates(), input.path)),
};

/** Categories and predicates by frequency. */
export const frequencies: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'rlipv2-frequencies.json',
  summary: 'categories and predicates by frequency (keep_names_freq)',
  write: async (input, output) => {
    for (const { file, split } of input.parts) await output.write(file, rlipv2Frequencies(input.sceneGraphs(split)));
  },
};

/** Image id to file path. */
export const paths: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'rlipv2-paths.json',
  summary: 'image id to file path, for the official Objects365 loader',
  write: async (input, output) => {
    for (const { file, split } of input.parts)
      await output.write(file, rlipv2FilePaths(input.sceneGraphs(split), input.path));
  },
};
