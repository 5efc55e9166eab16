import { resolve } from 'node:path';
import { Option } from 'commander';
import { recipeFlagName } from '../graph/recipe.js';
import { RelflowError } from '../index.js';
import type { RunState } from '../records/run-state.js';
import { wasStartedHere } from '../runs/started-runs.js';
import { isModule } from './import-module.js';
import type { Saved } from './saved.js';

/** What a person says on the command line about a run of somebody else. */
export interface TrustFlags {
  readonly trust?: boolean;
  readonly recipe?: string;
  readonly endpointUrl?: string;
  readonly parserEndpointUrl?: string;
  readonly taggerEndpointUrl?: string;
  readonly proposerEndpointUrl?: string;
  readonly tokenFile?: string;
}

/** Makes the options of commands that execute the pipeline of an existing run. */
export function trustOptions(): Option[] {
  return [
    new Option('--trust', 'use the options of a run that you did not start, and the files and models that they name'),
    new Option('--recipe <module>', 'for such a run: import this module, which must be the one that the run names'),
    new Option('--endpoint-url <url>', 'for runs with models: the address of the captioner’s server'),
    new Option('--parser-endpoint-url <url>', 'for runs with models: the address of the parser’s server'),
    new Option('--tagger-endpoint-url <url>', 'for runs with models: the address of the tagger’s server'),
    new Option('--proposer-endpoint-url <url>', 'for runs with models: the address of the server of --propose'),
    new Option('--token-file <file>', 'for runs with models: the file with the access token'),
  ];
}

const ADDRESSES = ['endpointUrl', 'parserEndpointUrl', 'taggerEndpointUrl', 'proposerEndpointUrl'] as const;
/** Options that the command line gives for such a run. */
export const CONFIRMABLE = [...ADDRESSES, 'tokenFile'] as const;
const MOST_NAMED = 8;
const MOST_CHARACTERS = 80;

/**
 * Returns the options of a run that may be used: those of a run that this user started, or those that the user confirms. A
 * run carries data, not trust: the module, the addresses and the secret of a run from elsewhere come from the command line.
 *
 * @param isConfirmed whether something else shows that the run is the user's, such as the signature of a job
 * @throws RelflowError `untrusted-run`, naming what the run would do, and the flags that confirm it
 */
export async function trustedRun(
  where: string,
  path: string,
  state: RunState,
  saved: Saved,
  flags: TrustFlags,
  isConfirmed = false,
): Promise<Saved> {
  const { trust = false, recipe } = flags;
  const named = Object.fromEntries(
    Object.entries(flags).filter(
      ([name, value]) => value !== undefined && (CONFIRMABLE as readonly string[]).includes(name),
    ),
  );
  if (isConfirmed || (await wasStartedHere(state))) return { ...saved, options: { ...saved.options, ...named } };
  const { tokenFile: _, ...options } = saved.options;
  const needed: string[] = [];
  const actions: string[] = [];
  if (isModule(saved.recipe)) {
    actions.push(`run the module ${shown(saved.recipe)}`);
    if (recipe === undefined || resolve(recipe) !== resolve(saved.recipe)) needed.push(`--recipe ${saved.recipe}`);
  }
  for (const name of ADDRESSES) {
    if (options[name] === undefined) continue;
    actions.push(`send requests to ${shown(options[name])}`);
    if (named[name] === undefined) needed.push(`--${recipeFlagName(name)} URL`);
  }
  const others = Object.entries(options).filter(
    ([name, value]) =>
      typeof value !== 'boolean' && typeof value !== 'number' && !(ADDRESSES as readonly string[]).includes(name),
  );
  for (const [name, value] of others.slice(0, MOST_NAMED)) actions.push(`use ${name} ${shown(value)}`);
  if (others.length > MOST_NAMED) actions.push(`use ${others.length - MOST_NAMED} more options`);
  if (!trust) needed.unshift('--trust');
  if (needed.length === 0) return { ...saved, options: { ...options, ...named } };
  const what = actions.length > 0 ? `; it would ${actions.join(', ')}` : '';
  throw new RelflowError(
    'untrusted-run',
    `${where}: the run in ${path} was not started by you on this machine, so its options are not used${what}; if you trust it, add ${needed.join(' ')} (see docs/trust.md)`,
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
