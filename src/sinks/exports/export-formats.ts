import { OptionError } from '../../errors.js';
import { chat } from './chat.js';
import { cocoRelations } from './coco-relations.js';
import type { ExportFormat } from './export-format.js';
import { fiftyone } from './fiftyone.js';
import { graphml } from './graphml.js';
import { hico, vcoco } from './hoi.js';
import { huggingFace } from './hugging-face.js';
import { huggingFaceLines } from './hugging-face-lines.js';
import { labelStudio } from './label-studio.js';
import { neo4j } from './neo4j.js';
import { openImages } from './open-images.js';
import { page } from './page.js';
import { psg } from './psg.js';
import { reltr } from './reltr.js';
import { candidates, frequencies, paths, rlipv2 } from './rlipv2.js';
import { vg150 } from './vg150.js';
import { visualGenome } from './visual-genome.js';

/** The export formats by name. */
export const EXPORT_FORMATS = {
  rlipv2,
  'rlipv2-candidates': candidates,
  'rlipv2-frequencies': frequencies,
  'rlipv2-paths': paths,
  coco: cocoRelations,
  reltr,
  huggingface: huggingFace,
  'huggingface-jsonl': huggingFaceLines,
  'visual-genome': visualGenome,
  psg,
  vg150,
  hico,
  vcoco,
  'open-images': openImages,
  'label-studio': labelStudio,
  fiftyone,
  chat,
  graphml,
  neo4j,
  page,
} as const satisfies Record<string, ExportFormat>;

/** The name of an export format. */
export type ExportFormatName = keyof typeof EXPORT_FORMATS;

/**
 * Checks the name of an export format.
 * @throws OptionError when the format is unknown
 */
export function exportFormat(name: string): ExportFormatName {
  if (Object.hasOwn(EXPORT_FORMATS, name)) return name as ExportFormatName;
  throw new OptionError(
    'export',
    `unknown format '${name}', expected one of ${Object.keys(EXPORT_FORMATS).join(', ')}`,
  );
}
