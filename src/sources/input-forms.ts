import { dirname, join } from 'node:path';
import { OptionError } from '../errors.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { coco } from './coco.js';
import { cocoRelations } from './coco-relations.js';
import { openImagesWithNames, vcocoWithInstances } from './companion-files.js';
import { cvat } from './cvat.js';
import { gqa } from './gqa.js';
import { hico } from './hico.js';
import { labelStudio } from './label-studio.js';
import { objects365 } from './objects365.js';
import { openImages } from './open-images.js';
import { pascalVoc } from './pascal-voc.js';
import { psg } from './psg.js';
import { sceneGraphLines } from './scene-graph-lines.js';
import { vcoco } from './vcoco.js';
import { vg150 } from './vg150.js';
import { vg150FilesOf } from './vg150-file.js';
import { visualGenome } from './visual-genome.js';
import { yolo } from './yolo.js';

type AnySource = Source<ImageRecord & Partial<Related & Captioned>>;

/** Other paths that a form may need. */
export interface InputFormOptions {
  /** The image folder. */
  readonly images?: string;
  /** COCO's instances, for V-COCO. Default: next to it. */
  readonly instances?: string;
  /** `categories_dict.json` (default: next to it) or, of CSV, class descriptions, for Open Images. */
  readonly names?: string;
}

/** A form of data sets, by which people name it. */
interface InputForm {
  readonly summary: string;
  readonly source: (input: string, flags: InputFormOptions) => AnySource | Promise<AnySource>;
}

const imagesOf = ({ images }: InputFormOptions) => (images === undefined ? {} : { images });

/** The forms of data sets that are read without a run, by name. */
export const INPUT_FORMS: Readonly<Record<string, InputForm>> = {
  'scene-graphs': {
    summary: "relflow's scene graphs: the folder of a run, or JSON lines",
    source: (input) => sceneGraphLines({ sceneGraphs: input }),
  },
  coco: {
    summary: "COCO's detections with rel_annotations and rel_categories",
    source: (annotations, flags) => cocoRelations({ annotations, ...imagesOf(flags) }),
  },
  'coco-detections': {
    summary: "COCO's detections without relations",
    source: (annotations, flags) => coco({ annotations, ...imagesOf(flags) }),
  },
  objects365: {
    summary: 'Objects365 v2',
    source: (annotations, flags) => objects365({ annotations, ...imagesOf(flags) }),
  },
  'visual-genome': {
    summary: 'scene_graphs.json of Visual Genome, next to image_data.json',
    source: (graphs, flags) =>
      visualGenome({
        sceneGraphs: graphs,
        imageData: join(dirname(graphs), 'image_data.json'),
        preprocess: false,
        ...imagesOf(flags),
      }),
  },
  hico: {
    summary: "HICO-DET in PPDM's form",
    source: (annotations, flags) => hico({ annotations, ...imagesOf(flags) }),
  },
  vcoco: {
    summary: "V-COCO, its own form next to COCO's instances or PPDM's",
    source: async (annotations, { instances, ...flags }) =>
      vcoco({ ...(await vcocoWithInstances(annotations, instances)), ...imagesOf(flags) }),
  },
  'open-images': {
    summary: "Open Images' relations, CSV or JSON next to categories_dict.json",
    source: async (annotations, { names, ...flags }) =>
      openImages({ ...(await openImagesWithNames(annotations, names)), ...imagesOf(flags) }),
  },
  vg150: {
    summary: 'the HDF5 file of VG150, next to its dictionary and image_data.json',
    source: (graphs, flags) =>
      vg150({ ...vg150FilesOf(graphs), split: 'all', withoutRelations: true, validationImages: 0, ...imagesOf(flags) }),
  },
  psg: {
    summary: 'PSG',
    source: (annotations, flags) => psg({ annotations, withoutRelations: true, ...imagesOf(flags) }),
  },
  gqa: { summary: "GQA's scene graphs", source: (annotations, flags) => gqa({ annotations, ...imagesOf(flags) }) },
  'label-studio': {
    summary: "Label Studio's tasks with boxes and relations: its export 'JSON', or relflow's",
    source: (annotations, flags) => labelStudio({ annotations, ...imagesOf(flags) }),
  },
  yolo: {
    summary: "YOLO's detections: data.yaml, or labels next to classes.txt",
    source: (annotations, flags) => yolo({ annotations, ...imagesOf(flags) }),
  },
  'pascal-voc': {
    summary: "Pascal VOC's detections: the folder of the XML files",
    source: (annotations, flags) => pascalVoc({ annotations, ...imagesOf(flags) }),
  },
  cvat: {
    summary: "CVAT's detections: annotations.xml of 'CVAT for images 1.1'",
    source: (annotations, flags) => cvat({ annotations, ...imagesOf(flags) }),
  },
};

/**
 * Makes the source of a data set in a form.
 * @param where the caller, for errors
 * @throws OptionError if the form is unknown or an option has no effect on it
 * @throws InputError if a file that decides how the set is read cannot be read
 */
export async function inputSource(
  where: string,
  from: string,
  input: string,
  options: InputFormOptions,
): Promise<AnySource> {
  const form = INPUT_FORMS[from];
  if (form === undefined)
    throw new OptionError(where, `unknown form '${from}', expected one of ${Object.keys(INPUT_FORMS).join(', ')}`);
  if (options.instances !== undefined && from !== 'vcoco')
    throw new OptionError(where, `--instances has no effect with --from ${from}, only with vcoco`);
  if (options.names !== undefined && from !== 'open-images')
    throw new OptionError(where, `--names has no effect with --from ${from}, only with open-images`);
  return form.source(input, options);
}
