/** A file of weights that others publish. */
export interface PublishedFile {
  /** Name under which it is saved. */
  readonly name: string;
  /** Where it can be downloaded without a browser; null if there is no such place. */
  readonly url: string | null;
  /** In bytes; null if it is not known. */
  readonly bytes: number | null;
  /** Null if it is not known. */
  readonly sha256: string | null;
}

/** Weights that others publish. */
export interface PublishedWeights {
  readonly name: string;
  readonly title: string;
  /** The preset whose names and shapes it has; null for parts of a model. */
  readonly model: string | null;
  /** The page that describes it. */
  readonly page: string;
  /** The section of the page. */
  readonly section: string;
  /** The folder that the page links to, which a browser opens; null if the files have addresses of their own. */
  readonly folder: string | null;
  /** What the official scripts call the file: the folder of its training and its name; null if they do not name it. */
  readonly official: string | null;
  readonly files: readonly PublishedFile[];
  readonly license: string;
}

const README = 'https://github.com/JacobYuan7/RLIPv2';
/** The repository states a license for its code alone. */
const CODE_LICENSE = 'not stated for the weights; the code is under Apache-2.0';

const byHand = (
  name: string,
  title: string,
  model: string,
  section: string,
  folder: string,
  official: string | null,
): PublishedWeights => ({
  name,
  title,
  model,
  page: README,
  section,
  folder,
  official,
  files: [{ name: `${name}.pth`, url: null, bytes: null, sha256: null }],
  license: CODE_LICENSE,
});

const PRETRAINED = 'https://1drv.ms/f/s!Areeng9FzbjixA-4QhhMWzWQw-Mb?e=1uAxp7';
const HICO = 'https://1drv.ms/f/s!Areeng9Fzbjiw1AZ_s4PJDBEmceO?e=cBeJRl';
const VCOCO = 'https://1drv.ms/f/c/e2b8cd450f9e9eb7/Qreeng9FzbgggOLSIQAAAAAAyL_yAmT7JHcWgw';
const OPEN_IMAGES = 'https://1drv.ms/f/s!Areeng9Fzbjiw1FgKUAHqiueeeFH?e=Qb7cWb';
const TAGGER = 'https://1drv.ms/f/c/e2b8cd450f9e9eb7/Qreeng9FzbgggOLVIQAAAAAAAWJzWYjRH6OSpw';

const backbones = [
  ['r50', 'ResNet-50', 'parsedaR50'],
  ['swint', 'Swin-T', 'parsedaSwinT'],
  ['swinl', 'Swin-L', 'parsedaSwinL'],
] as const;

/** What the official scripts call the pre-trained and fine-tuned checkpoints; those of the other settings they do not name. */
const officialNames: Readonly<Record<string, string>> = {
  'rlipv2-swint': 'RLIP_PDA_v2_SwinT_VGCOO365_BLIP_Nu10_thr20_RQL_LSE_RPL_bs64_20e/checkpoint0019.pth',
  'rlipv2-swinl': 'RLIP_PDA_v2_SwinL_VGCOO365_BLIP_Nu10_thr20_RQL_LSE_RPL_bs64_20e/checkpoint0019.pth',
  'rlipv2-hico-swint': 'RLIP_PDA_v2_HICO_SwinT_VGCOCOO365_RQL_LSE_RPL_20e_L1_20e/checkpoint0019.pth',
  'rlipv2-hico-swinl': 'RLIP_PDA_v2_HICO_SwinL_VGCOCOO365_RQL_LSE_RPL_20e_L1_20e_3/checkpoint0019.pth',
  'rlipv2-vcoco-r50': 'RLIP_PDA_v2_VCOCO_R50_VGCOO365_COO365det_RQL_LSE_RPL_20e_L1_20e/checkpoint0019.pth',
  'rlipv2-vcoco-swint': 'RLIP_PDA_v2_VCOCO_SwinT_VGCOCOO365_RQL_LSE_RPL_20e_L1_20e/checkpoint0019.pth',
  'rlipv2-vcoco-swinl': 'RLIP_PDA_v2_VCOCO_SwinL_VGCOCOO365_RQL_LSE_RPL_20e_L1_20e/checkpoint0019.pth',
};

const parseda = (task: string, title: string, section: string, folder: string): PublishedWeights[] =>
  backbones.map(([suffix, backbone, model]) => {
    const name = `rlipv2-${task}${suffix}`;
    return byHand(name, `RLIPv2-ParSeDA, ${backbone}, ${title}`, model, section, folder, officialNames[name] ?? null);
  });

const hub = (file: string): PublishedFile => ({
  name: file,
  url: `https://huggingface.co/FacebookAI/roberta-base/resolve/main/${file}`,
  bytes: null,
  sha256: null,
});

/**
 * The published weights that relflow knows how to use. Addresses are those of the official pages in 2026; sizes and checksums
 * that the publishers do not state are null.
 */
export const weightsCatalogue: readonly PublishedWeights[] = [
  byHand(
    'rtagger-r50',
    'R-Tagger, ResNet-50, trained on Visual Genome: relations of photographs',
    'rTaggerR50',
    'Relational pseudo-labelling, step 3',
    TAGGER,
    'RLIP_PD_v2_Tagger2_COCO_20e_bs64_GLIP2aux_L1/checkpoint0019.pth',
  ),
  ...parseda('', 'pre-trained on VG + COCO + Objects365', 'Relational Language-Image Pre-training', PRETRAINED),
  ...parseda('hico-', 'fine-tuned on HICO-DET', 'Fully fine-tuning on HICO-DET', HICO),
  ...parseda('vcoco-', 'fine-tuned on V-COCO', 'Fully fine-tuning on V-COCO', VCOCO),
  ...parseda('open-images-', 'fine-tuned on Open Images v6', 'Fully fine-tuning on Open Images v6', OPEN_IMAGES),
  {
    name: 'roberta-base',
    title: 'RoBERTa base: tokenizer and text encoder that RLIPv2 reads labels with',
    model: null,
    page: 'https://huggingface.co/FacebookAI/roberta-base',
    section: 'Files',
    folder: null,
    official: null,
    files: [hub('tokenizer.json'), hub('config.json'), hub('model.safetensors')],
    license: 'MIT',
  },
];
