import type { BackendName } from '../backends/backend-names.js';
import type { ModelConfig } from '../model-config.js';
import type { StoredView } from '../weights/stored-model.js';

export interface RTaggerOptions {
  /** The R-Tagger's weights: `.safetensors`, an index of shards, or an official `.pth`. */
  readonly weights: string;
  /** The folder that images' paths are below. */
  readonly images: string;
  /**
   * All object categories of the data set, in the order of its classes. They are part of what the model reads, so that
   * scores depend on them.
   */
  readonly categories: readonly string[];
  /** Which preset the weights are of. Default: the configuration or preset that the file tells, else `rTaggerR50`. */
  readonly model?: string;
  /** What the records call it. Default `r-tagger`. */
  readonly name?: string;
  /** A configuration of one's own, in place of a preset. */
  readonly config?: ModelConfig;
  /** Folder with RoBERTa's tokenizer.json; default: that of the weights. Tiny models need none. */
  readonly tokenizer?: string;
  readonly backend?: BackendName | 'auto' | (string & {});
  readonly threads?: number;
  /** A folder where label vectors are kept for further runs; without it they last as long as the tagger. */
  readonly labelCache?: string;
  /** The official model's quirks, see docs/compat.md; default: those of `config`, none with a preset. */
  readonly compat?: boolean;
  /**
   * Sides that images are brought to: the shorter one, unless the longer would pass `longest`. Default: what the file
   * tells, else 800 and 1333.
   */
  readonly view?: StoredView;
  /** Groups of pairs that the decoders take at once. Default 4. */
  readonly groupsAtOnce?: number;
}
