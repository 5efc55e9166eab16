/** A group of parameters with a learning rate of its own. */
export type ParameterGroup = 'backbone' | 'text' | 'rest';

/**
 * Returns the group of a parameter, which determines its learning rate, by its name in the state dict. The fusions'
 * language layers belong to the rest.
 * Source: RLIPv2, main.py, `param_dicts`.
 */
export function groupOf(name: string): ParameterGroup {
  if (name.includes('backbone')) return 'backbone';
  return name.includes('text_encoder') ? 'text' : 'rest';
}
