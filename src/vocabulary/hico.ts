import { readFileSync } from 'node:fs';
import { coco80Categories } from './categories.js';

/** A combination of a verb and an object, one of HICO-DET's 600 classes. */
export interface HicoInteraction {
  /** Position in the list, 0 to 599; `hoi_category_id` in the annotations is one more. */
  readonly index: number;
  /** Number of the verb, 1 to 117: its position in `hicoVerbs`, counted from 1. */
  readonly verb: number;
  /** COCO's category id of the object, 1 to 90. */
  readonly object: number;
}

/** A zero-shot setting of HICO-DET: unseen combinations (rare or non-rare first), unseen objects, unseen verbs. */
export type HicoSetting = 'UC-RF' | 'UC-NF' | 'UO' | 'UV';

const data: {
  readonly verbs: readonly string[];
  readonly interactions: readonly (readonly [verb: number, object: number])[];
  readonly unseen: Readonly<Record<HicoSetting, readonly number[]>>;
} = JSON.parse(readFileSync(new URL('hico.json', import.meta.url), 'utf8'));

/** The names of the 117 verbs in the order of `hico_verb_names.txt`, with blanks for underscores. */
export const hicoVerbs: readonly string[] = data.verbs;

/** HICO-DET's 600 combinations in the order of its list. */
export const hicoInteractions: readonly HicoInteraction[] = data.interactions.map(([verb, object], index) => ({
  index,
  verb,
  object,
}));

/**
 * The indices of the combinations that a zero-shot setting leaves out of training: 120, 120, 100 and 84.
 *
 * Source: RLIPv2, datasets/hico.py (UC-RF, UC-NF, UO; the lists are those of Bansal et al., 2020, and VCL); UV: EoID, the 84
 * combinations of 20 verbs.
 */
export const hicoUnseen: Readonly<Record<HicoSetting, readonly number[]>> = data.unseen;

const objectNames = new Map(coco80Categories.map(({ id, name }) => [id, name]));

/** Returns the name of a combination, such as `ride bicycle`. */
export const hicoInteractionName = ({ verb, object }: Pick<HicoInteraction, 'verb' | 'object'>): string =>
  `${hicoVerbs[verb - 1] ?? `verb ${verb}`} ${objectNames.get(object) ?? `category ${object}`}`;
