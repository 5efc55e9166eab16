/** A verb of V-COCO: an action, with one of its roles if it has any. */
export interface VcocoVerb {
  readonly action: string;
  /** `obj` or `instr`; null for an action without a role. */
  readonly role: string | null;
  /** The text that RLIPv2 asks for. */
  readonly name: string;
}

const verbs: readonly (readonly [action: string, role: string | null, name: string])[] = [
  ['hold', 'obj', 'hold'],
  ['stand', null, 'stand'],
  ['sit', 'instr', 'sit on/at'],
  ['ride', 'instr', 'ride on'],
  ['walk', null, 'walk'],
  ['look', 'obj', 'look at'],
  ['hit', 'instr', 'hit with'],
  ['hit', 'obj', 'hit'],
  ['eat', 'obj', 'eat'],
  ['eat', 'instr', 'eat with'],
  ['jump', 'instr', 'jump'],
  ['lay', 'instr', 'lay on'],
  ['talk_on_phone', 'instr', 'talk on phone'],
  ['carry', 'obj', 'carry'],
  ['throw', 'obj', 'throw'],
  ['catch', 'obj', 'catch'],
  ['cut', 'instr', 'cut with'],
  ['cut', 'obj', 'cut'],
  ['run', null, 'run'],
  ['work_on_computer', 'instr', 'work on computer'],
  ['ski', 'instr', 'ski'],
  ['surf', 'instr', 'surf'],
  ['skateboard', 'instr', 'skateboard'],
  ['smile', null, 'smile'],
  ['drink', 'instr', 'drink from'],
  ['kick', 'obj', 'kick'],
  ['point', 'instr', 'point'],
  ['read', 'obj', 'read'],
  ['snowboard', 'instr', 'snowboard'],
];

/**
 * V-COCO's 29 verbs: 4 actions without a role, and 25 of an action and a role. Their places are the numbers of the verbs in the
 * converted annotations, from 0. Source: RLIPv2, datasets/vcoco_verb_names.txt and vcoco_names_v3.json.
 */
export const vcocoVerbs: readonly VcocoVerb[] = verbs.map(([action, role, name]) => ({ action, role, name }));
