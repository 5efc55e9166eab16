import { InputError } from '../errors.js';
import { firstBytes } from '../files/json/first-bytes.js';

/** How much of a file decides its format, in bytes. */
const startBytes = 64 * 1024;

const toCoco = 'convert it to COCO, see docs/own-data.md';

const readByRunCoco = (source: string) => `\`relflow run coco\` reads it and, in code, the source \`${source}\``;

/** What the start of a file of another format contains, its name, and how to get COCO's format from it. */
const formats: readonly (readonly [contains: readonly RegExp[], name: string, advice: string])[] = [
  [
    [/^\s*\{/, /"format":\s*"relflow\./],
    "relflow's own outputs",
    'give the annotation file that it was made from; `relflow stats` and `inspect` read outputs',
  ],
  [
    [/"data"\s*:\s*\{/, /"(?:rectanglelabels|polygonlabels|brushlabels|original_width)"/],
    'Label Studio (JSON)',
    readByRunCoco('labelStudio'),
  ],
  [
    [/"(?:rectanglelabels|polygonlabels|brushlabels|original_width)"/],
    'Label Studio (JSON-MIN)',
    "export the project as 'JSON' or 'COCO' there",
  ],
  [[/"shapes"\s*:/, /"(?:imagePath|shape_type)"\s*:/], 'labelme', 'convert the folder with labelme2coco'],
  [
    [/"(?:_via_img_metadata|shape_attributes|fileref)"/],
    'the VGG Image Annotator (project)',
    "export annotations as 'COCO format' there",
  ],
  [
    [/"items"\s*:/, /"(?:label_id|dm_format_version)"/],
    'Datumaro',
    'convert it with `datum convert -if datumaro -f coco_instances`',
  ],
  [[/"className"\s*:/, /"instances"\s*:/], 'SuperAnnotate', "export the project as 'COCO' there"],
  [[/"classTitle"\s*:/], 'Supervisely', "export the project with the app 'Export to COCO'"],
  [[/"box2d"\s*:/], 'BDD100K or Scalabel', 'convert it with `python3 -m scalabel.label.to_coco`'],
  [[/"frames"\s*:/, /"labels"\s*:/], 'Scalabel', 'convert it with `python3 -m scalabel.label.to_coco`'],
  [[/"coordinates"\s*:/, /"label"\s*:/], 'CreateML', "export the set as 'COCO' instead"],
  [[/"predicate_classes"/], 'the PSG data set', '`relflow run psg` reads it'],
  [[/"bbox_mode"\s*:/], 'Detectron2 (list of records)', 'write it with detectron2.data.datasets.convert_to_coco_json'],
  [
    [/"(?:metainfo|ann)"\s*:/, /"(?:data_list|bboxes|instances)"\s*:/],
    'MMDetection',
    'give the COCO file that it was made from',
  ],
  [[/"gtboxes"\s*:/], 'CrowdHuman (odgt)', ''],
  [[/"hoi_annotation"\s*:/], 'HICO-DET or V-COCO', '`relflow run hico` or `vcoco` reads it'],
  [[/"action_name"\s*:/], "V-COCO's own annotations", '`relflow run vcoco` reads it'],
  [[/"(?:rel_annotations|img_fn)"\s*:/], "Open Images' relations", '`relflow run open-images` reads it'],
  [[/"scene_graphs?"|"relations"\s*:/, /"objects"\s*:\s*\{/], 'GQA (scene graphs)', '`relflow run gqa` reads it'],
  [[/"predicate"\s*:/, /"subject"\s*:/], 'the VRD data set', ''],
  [[/^\s*<(?:\?xml[^>]*>\s*)?<?annotations?\b/], 'Pascal VOC or CVAT (XML)', readByRunCoco('pascalVoc` or `cvat')],
  [[/^\s*\d+(?: -?\d*\.?\d+){4,}\s*(?:\n|$)/], 'YOLO (labels)', readByRunCoco('yolo')],
  [
    [/^(?:#[^\n]*\n|\s)*(?:path|train|val|test|nc|names)\s*:/],
    'YAML, such as the data.yaml of YOLO',
    readByRunCoco('yolo'),
  ],
  [[/^\ufeff?ImageID,.*LabelName2/], "Open Images' relations (CSV)", '`relflow run open-images` reads it'],
  [[/^\ufeff?ImageID,/], 'the Open Images data set (CSV)', toCoco],
  [[/^\ufeff?[\w ."]+(?:[,;\t][\w ."/-]*){2,}\r?\n/], 'a table (CSV)', ''],
];

/** The start of a file that is meant to be in COCO's format. */
const cocoStart = /"images"\s*:\s*\[|^\s*\{\s*"(?:annotations|images)"/;

const expected = "expected COCO's object with 'images', 'annotations' and 'categories'";

/**
 * Describes a file that is not in COCO's format, but in that of another known tool or data set, with what to do; undefined if it
 * is not known.
 */
export async function describeOtherFormat(file: string): Promise<string | undefined> {
  const start = await startOf(file).catch(() => '');
  if (cocoStart.test(start)) return undefined;
  const found = formats.find(([contains]) => contains.every((pattern) => pattern.test(start)));
  if (!found) return undefined;
  const [, name, advice] = found;
  return `the file is in the format of ${name}, ${expected}: ${advice === '' ? toCoco : advice}`;
}

/**
 * Checks that a file is not in COCO's format, for sources that read Visual Genome's lists.
 * @throws InputError if it is
 */
export async function checkIsNotCoco(file: string): Promise<void> {
  const start = await startOf(file).catch(() => '');
  if (/^\s*\{/.test(start) && cocoStart.test(start))
    throw new InputError(
      file,
      "the file is in COCO's format, expected a list in Visual Genome's; `relflow run coco` reads it",
    );
}

async function startOf(file: string): Promise<string> {
  return (await firstBytes(file, startBytes)).toString('utf8');
}
