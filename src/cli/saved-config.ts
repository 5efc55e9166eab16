import { type OutputFlags, outputSchemas } from './output-options.js';

/** A configuration as `plan --save` writes it, and the options whose secrets were left out. */
export interface SavedConfig {
  readonly text: string;
  readonly withoutSecrets: readonly string[];
}

/**
 * Returns the configuration of a run as JSON for `run --config`: the options of its pipeline with their defaults, and those of its
 * output. Passwords and keys in addresses are left out.
 */
export function savedConfig(
  recipe: string,
  options: Readonly<Record<string, unknown>>,
  output: OutputFlags,
): SavedConfig {
  const withoutSecrets: string[] = [];
  const saved = Object.entries(options).map(([name, value]) => {
    const shown = typeof value === 'string' ? withoutCredentials(value) : value;
    if (shown !== value) withoutSecrets.push(name);
    return [name, shown];
  });
  const outputNames = Object.keys(outputSchemas) as (keyof OutputFlags)[];
  const kept = outputNames.flatMap((name) => (isGiven(output[name]) ? [[name, output[name]]] : []));
  const config = { recipe, ...Object.fromEntries(saved), ...Object.fromEntries(kept) };
  return { text: `${JSON.stringify(config, null, 2)}\n`, withoutSecrets };
}

const isGiven = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0);

const SECRET_PARAMETER = /key|token|secret|password|signature|auth/i;

/** Returns an address without user, password and parameters that are secrets; other texts unchanged. */
function withoutCredentials(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return text;
  const url = new URL(text);
  const secrets = [...url.searchParams.keys()].filter((name) => SECRET_PARAMETER.test(name));
  if (url.username === '' && url.password === '' && secrets.length === 0) return text;
  url.username = '';
  url.password = '';
  for (const name of secrets) url.searchParams.delete(name);
  return url.href;
}
