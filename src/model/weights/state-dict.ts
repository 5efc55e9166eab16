import { InputError } from '../../errors.js';
import { sizeOf } from '../../files/weight-source.js';
import { increment } from '../../records/increment.js';
import { plainKind } from './pickled-names.js';
import { OtherTensor, PickledGlobal, PickledObject, PickledTensor } from './pickled-objects.js';

/** Tensors of a checkpoint by name, and what was decided to find them. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickledTensor>;
  /** Sentences about the chosen entry, skipped values and removed prefixes. */
  readonly notes: readonly string[];
}

/** Entries that are taken first if a checkpoint has several state dicts. */
const PREFERRED = ['model', 'state_dict', 'model_state_dict', 'net', 'network', 'module', 'weights', 'params'];

/** Entries that are taken only if a checkpoint has no other state dict. */
const isAverage = (entry: string): boolean => /ema|swa|average|teacher|momentum/i.test(entry);

/** Entries whose tensors are other than weights. */
const isOther = (key: string): boolean =>
  /^(?:optim|lr_sched|sched|scaler|rng|random|args|hyper|loops|callbacks)/i.test(key);

const MAX_DEPTH = 4;
/** Most numbers that tensors of stride 0 add to those of their storages. */
const MAX_REPEATED = 1 << 24;

/**
 * Finds the state dict of a checkpoint: the entry `model`, `state_dict` or another usual one, else the only one, be it
 * nested or the whole checkpoint. Wrappers' prefixes (`module.`, `_orig_mod.`, `model.`) are removed from names.
 * @param entry chooses another one, by its keys joined with dots; `.` is the whole checkpoint
 * @throws InputError if there is none or no such entry, or several and none is usual
 */
export function stateDict(path: string, root: unknown, entry?: string): StateDict {
  const found = new Map<string, Map<string, unknown>>();
  findStateDicts(root, '.', MAX_DEPTH, new Set(), found);
  const chosen = chooseEntry(path, root, [...found.keys()], entry);
  const others = [...found.keys()].filter((name) => name !== chosen && name !== '.');
  const { tensors, skipped } = separate(path, found.get(chosen)!);
  checkRepeated(path, tensors);
  const { named, prefixes } = withoutPrefixes(tensors);
  return {
    tensors: named,
    notes: [
      ...(others.length > 0 || (entry === undefined && isAverage(chosen))
        ? [`entry ${chosen} is read${others.length > 0 ? `, not ${listed(others)}; --entry chooses` : ''}`]
        : []),
      ...(skipped.size > 0 ? [`skipped, not a tensor: ${counted(skipped)}`] : []),
      ...(prefixes.size > 0 ? [`prefixes removed from names: ${counted(prefixes)}`] : []),
    ],
  };
}

const isTensor = (value: unknown): value is PickledTensor | OtherTensor =>
  value instanceof PickledTensor || value instanceof OtherTensor;

const listed = (names: readonly string[]): string => {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} others` : shown;
};
const counted = (counts: ReadonlyMap<string, number>): string =>
  listed([...counts].map(([name, count]) => `${count} × ${name}`));

/** Collects dictionaries with tensors. Each is visited once, since a pickle may contain one many times. */
function findStateDicts(
  value: unknown,
  path: string,
  depth: number,
  visited: Set<unknown>,
  found: Map<string, Map<string, unknown>>,
): void {
  if (!(value instanceof Map || Array.isArray(value)) || visited.has(value)) return;
  visited.add(value);
  const entries: [string, unknown][] =
    value instanceof Map ? [...(value as Map<string, unknown>)] : value.map((item, k) => [String(k), item]);
  if (value instanceof Map && entries.some(([, item]) => isTensor(item)))
    found.set(path, value as Map<string, unknown>);
  if (depth === 0) return;
  for (const [key, item] of entries)
    if (!isOther(key)) findStateDicts(item, path === '.' ? key : `${path}.${key}`, depth - 1, visited, found);
}

function chooseEntry(path: string, root: unknown, found: readonly string[], entry: string | undefined): string {
  if (entry !== undefined) {
    const below = found.filter((name) => name.startsWith(`${entry}.`));
    if (found.includes(entry)) return entry;
    if (below.length === 1) return below[0]!;
    throw new InputError(
      path,
      `has no state dict at ${entry}, expected ${found.length > 0 ? `one of ${listed(found)}` : 'tensors in a dictionary'}`,
    );
  }
  if (found.length === 0)
    throw new InputError(
      path,
      `contains no tensors, expected a dictionary of them under model, under state_dict or at the top level; found ${describeValue(root)}`,
    );
  const [preferred] = PREFERRED.filter((name) => found.includes(name));
  if (preferred !== undefined) return preferred;
  const plain = found.filter((name) => !isAverage(name));
  const rest = plain.length > 0 ? plain : found;
  if (rest.length === 1) return rest[0]!;
  throw new InputError(
    path,
    `has several state dicts, ${listed(found)}: choose one with relflow weights convert --entry NAME`,
  );
}

function separate(path: string, entries: ReadonlyMap<string, unknown>) {
  const tensors = new Map<string, PickledTensor>();
  const skipped = new Map<string, number>();
  for (const [name, value] of entries) {
    if (value instanceof OtherTensor) throw unreadable(path, name, `is built by ${value.kind}`);
    if (value instanceof PickledTensor) {
      if (value.numbers.type === undefined) throw unreadable(path, name, `has numbers of ${value.numbers.name}`);
      tensors.set(name, value);
    } else increment(skipped, kindOf(value));
  }
  return { tensors, skipped };
}

const unreadable = (path: string, name: string, problem: string) =>
  new InputError(
    path,
    `the tensor ${name.slice(0, 200)} ${problem}, which is not read: convert it in Python, for example with .to_dense(), .dequantize() or .float()`,
  );

function checkRepeated(path: string, tensors: ReadonlyMap<string, PickledTensor>): void {
  let repeated = 0;
  for (const { shape, storage } of tensors.values()) repeated += Math.max(0, sizeOf(shape) - storage.count);
  if (repeated > MAX_REPEATED)
    throw new InputError(path, `repeats numbers of its storages ${repeated} times, expected at most ${MAX_REPEATED}`);
}

const wrappers =
  /^(?:(?:module|_orig_mod|model|_fsdp_wrapped_module)\.)+|(?<=\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;

/** Removes the prefixes of wrappers from names, unless two names would become one. */
function withoutPrefixes(tensors: ReadonlyMap<string, PickledTensor>) {
  const prefixes = new Map<string, number>();
  const named = new Map<string, PickledTensor>();
  for (const [name, tensor] of tensors) {
    const plain = name.replace(wrappers, (prefix) => {
      increment(prefixes, prefix);
      return '';
    });
    named.set(plain, tensor);
  }
  return named.size === tensors.size ? { named, prefixes } : { named: tensors, prefixes: new Map<string, number>() };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value instanceof Map) return 'dict';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'list';
  if (value instanceof PickledObject || value instanceof PickledGlobal) return plainKind(value.name);
  return { string: 'text', boolean: 'bool', number: 'number' }[typeof value as string] ?? 'other value';
}

function describeValue(root: unknown): string {
  if (root instanceof Map)
    return root.size === 0 ? 'an empty dictionary' : `the keys ${listed([...root.keys()] as string[])}`;
  return Array.isArray(root) ? `a list of ${root.length}` : `one value (${kindOf(root)})`;
}
