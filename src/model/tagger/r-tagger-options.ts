import type { BackendName } from '../backends/backend-names.js';
import type { ModelConfig } from '../model-config.js';
import type { StoredView } from '../weights/stored-model.js';

/** Options of `rTagger`. */
export interface RTaggerOptions {
  /** Weights file: `.safetensors`, an index of shards, or an official `.pth`. */
  readonly weights: string;
  /** Folder that the image paths are relative to, or several that are searched in this order. */
  readonly images: string | readonly string[];
  /**
   * All object categories of the data set, in the order of its classes. The labels are input of the model, so that scores
   * depend on all of them. Boxes of other categories are left out. Default: the categories that the records' source lists,
   * in the spelling of the built-in lists, or in lower case if those do not have them.
   */
  readonly categories?: readonly string[];
  /** Preset of the weights. Default: the configuration or preset named in the weights file, else `rTaggerR50`. */
  readonly model?: string;
  /** Name of the tagger in records. Default `r-tagger`. */
  readonly name?: string;
  /** Custom configuration, used in place of a preset. */
  readonly config?: ModelConfig;
  /** Folder with RoBERTa's tokenizer.json; default: the folder of the weights. Tiny models do not read it. */
  readonly tokenizer?: string;
  /** Backend; default `auto`. */
  readonly backend?: BackendName | 'auto' | (string & {});
  /** Number of threads of the backend, see `BackendOptions`. */
  readonly threads?: number;
  /** Whether tensorflow may round products to TF32 on an NVIDIA GPU, see `BackendOptions`. Default false. */
  readonly tf32?: boolean;
  /** Folder in which label vectors are cached for later runs; omitted to cache them in memory only. */
  readonly labelCache?: string;
  /**
   * True to keep the quirks of the official model, see docs/compat.md, and to ignore the EXIF orientation of images;
   * default: the quirks of `config`, none with a preset.
   */
  readonly compat?: boolean;
  /**
   * Size of resized images in pixels: the length of the shorter side, unless the longer side would exceed `longest`.
   * Default: the size in the weights file, else 800 and 1333.
   */
  readonly view?: StoredView;
  /** Number of groups of pairs that the decoders process in one pass. Default 4. */
  readonly groupsAtOnce?: number;
  /**
   * Number of images that the encoder processes in one pass, from 1 to 64. Images of one size and one number of labels share a
   * pass. Scores do not depend on it, except for the last digits on a GPU. Default: 4 with the backends `tensorflow` and
   * `webgpu`, else 1.
   */
  readonly batchSize?: number;
  /** True to run each operation by itself on tensorflow too, where passes of frequent shapes are recorded otherwise. */
  readonly eager?: boolean;
}
