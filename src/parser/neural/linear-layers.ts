import type { ParameterName } from './network-parameters.js';

/** The network's linear layers by the name of their weights: the name of their bias, and whether max(…, 0) follows. */
export const linearLayers = {
  context: { bias: 'contextBias', isRelu: false },
  tagHidden: { bias: 'tagHiddenBias', isRelu: true },
  tags: { bias: 'tagBias', isRelu: false },
  relationContext: { bias: 'relationContextBias', isRelu: false },
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
