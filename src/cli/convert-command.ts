import { basename, dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import {
  coco,
  cocoRelations,
  cvat,
  EXPORT_FORMATS,
  exportGraphs,
  gqa,
  hico,
  type ImageRecord,
  labelStudio,
  OptionError,
  objects365,
  openImages,
  pascalVoc,
  psg,
  type Related,
  type Source,
  sceneGraphLines,
  vcoco,
  vg150,
  visualGenome,
  yolo,
} from '../index.js';
import type { Captioned } from '../records/caption-record.js';
import { type RefusedRecords, readGraphs } from '../runs/read-graphs.js';
import { exportFormat } from '../sinks/exports/export-formats.js';
import { vg150FilesOf } from '../sources/vg150-file.js';
import type { CommandContext } from './command-context.js';
import {
  addExportOptions,
  type ExportFlags,
  exportHelp,
  printExport,
  readOptions,
  summaryLines,
} from './export-command.js';
import { visibleText } from './visible-text.js';

type AnySource = Source<ImageRecord & Partial<Related & Captioned>>;

interface InputFlags {
  readonly images?: string;
  readonly instances?: string;
  readonly names?: string;
}

/** A form of data sets that `convert` reads. */
interface InputForm {
  readonly summary: string;
  readonly source: (input: string, flags: InputFlags) => AnySource;
}

const imagesOf = ({ images }: InputFlags) => (images === undefined ? {} : { images });

const FORMS: Readonly<Record<string, InputForm>> = {
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
    summary: "V-COCO, its own form (with --instances) or PPDM's",
    source: (annotations, { instances, ...flags }) =>
      vcoco({ annotations, ...(instances !== undefined && { instances }), ...imagesOf(flags) }),
  },
  'open-images': {
    summary: "Open Images' relations, CSV or JSON (with --names)",
    source: (annotations, { names, ...flags }) =>
      openImages({
        annotations,
        ...(names !== undefined && (/\.csv(?:\.gz)?$/.test(names) ? { descriptions: names } : { categories: names })),
        ...imagesOf(flags),
      }),
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

/** Adds `relflow convert`. */
export function convertCommand(program: Command, context: CommandContext): void {
  const command = new Command('convert')
    .argument('<input>', 'annotation file, glob or folder')
    .summary('convert a data set from one format to another')
    .description(
      'Convert a data set with relations, or with detections alone, to another format without a run. What is refused in the input and what the output cannot carry is counted and said.',
    )
    .addOption(
      new Option('--from <form>', 'form of the input, see below').choices(Object.keys(FORMS)).makeOptionMandatory(),
    )
    .addOption(
      new Option('--to <format>', 'format of the output, see below').choices(formatsOfGraphs()).makeOptionMandatory(),
    )
    .addOption(new Option('--instances <files>', "for vcoco: COCO's instances"))
    .addOption(new Option('--names <file>', 'for open-images: categories_dict.json, or class descriptions as CSV'));
  addExportOptions(command)
    .addHelpText('after', ['', 'Forms of the input:', ...summaryLines(FORMS)].join('\n'))
    .addHelpText(
      'after',
      exportHelp([
        'relflow convert psg.json --from psg --to coco --out psg-coco.json',
        'relflow convert test_hico.json --from hico --images images --to huggingface --out hico --license other',
      ]),
    )
    .action(async (input: string, flags: ExportFlags & InputFlags & { from: string; to: string }) => {
      const { from, to, out, json, instances, names, ...options } = flags;
      if (out === undefined) throw new OptionError('convert', '--out is missing, expected a file or folder to write');
      checkInputFlags(from, flags);
      const form = FORMS[from] as InputForm;
      const source = form.source(input, flags);
      const files = await source.files();
      // A format may stop a reading and begin again; what counts is the first one to the end.
      let refused: RefusedRecords = new Map();
      let isWhole = false;
      const graphs = async function* () {
        const own: RefusedRecords = new Map();
        try {
          yield* readGraphs(source, isWhole ? undefined : own);
          if (!isWhole) refused = own;
          isWhole = true;
        } finally {
          if (!isWhole) refused = own;
        }
      };
      const about = { name: basename(input), inputs: files.map((file) => ({ file: basename(file) })), stages: [] };
      const { images, ...rest } = await readOptions(options);
      const format = exportFormat(to);
      const result = await exportGraphs({ graphs, about }, format, out, {
        ...rest,
        ...(images !== undefined && EXPORT_FORMATS[format].takes?.includes('images') && { images }),
      });
      for (const [reason, { count, example }] of refused)
        context.printNote(
          visibleText(`input: ${count.toLocaleString('en-US')} × ${reason}${example && `, first: ${example}`}`),
        );
      printExport(context, out, result, json);
    });
  program.addCommand(command);
}

const formatsOfGraphs = () =>
  Object.entries(EXPORT_FORMATS).flatMap(([name, { sink }]) => (sink === 'scene-graphs' ? name : []));

function checkInputFlags(from: string, { instances, names }: InputFlags): void {
  if (instances !== undefined && from !== 'vcoco')
    throw new OptionError('convert', `--instances has no effect with --from ${from}, only with vcoco`);
  if (names !== undefined && from !== 'open-images')
    throw new OptionError('convert', `--names has no effect with --from ${from}, only with open-images`);
}
