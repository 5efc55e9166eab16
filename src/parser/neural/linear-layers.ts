import type { ParameterName } from './network-parameters.js';

/** The network's linear layers: which parameters they have, and whether what is below zero becomes zero. */
export const linearLayers = {
  context: { bias: 'contextBias', isRelu: false },
  tagHidden: { bias: 'tagHiddenBias', isRelu: true },
  tags: { bias: 'tagBias', isRelu: false },
  relate: { bias: 'relateBias', isRelu: false },
  mention: { bias: null, isRelu: false },
  between: { bias: null, isRelu: false },
  pair: { bias: 'pairHiddenBias', isRelu: true },
  labels: { bias: 'labelBias', isRelu: false },
  verb: { bias: null, isRelu: false },
  preposition: { bias: null, isRelu: false },
  attribute: { bias: null, isRelu: false },
  owner: { bias: null, isRelu: false },
  attributeScore: { bias: 'attributeScoreBias', isRelu: false },
} as const satisfies Partial<Record<ParameterName, { bias: ParameterName | null; isRelu: boolean }>>;

export type LinearLayer = keyof typeof linearLayers;
