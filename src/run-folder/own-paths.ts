import { type OwnPaths, parentsOf } from '../files/own-entries.js';
import { uuidPattern } from '../files/uuid-pattern.js';

const SHARD = String.raw`\d{5,}`;
const SINK = '[a-z][a-z0-9-]*';
/** What write-file-atomic, `writeIfAbsent` and `writeAtomically` append to the name of a file that is not complete. */
const TEMPORARY = String.raw`(?:\.\d+|(?:\.${uuidPattern})?\.partial)`;
const TEMPORARY_FOLDER = `(?:(?:run|part|source)-${uuidPattern})`;
/** Folder of spools, see `TemporaryFolder`. */
const SPOOLS = 'relflow-[A-Za-z0-9]{6}';

const FILES = [
  String.raw`(?:manifest|report)\.json${TEMPORARY}?`,
  String.raw`\.relflow/(?:run|queue|progress|extent)\.json${TEMPORARY}?`,
  String.raw`\.relflow/shards/${SHARD}\.json${TEMPORARY}?`,
  String.raw`\.relflow/partial/(?:\d+-${uuidPattern}/)?${SINK}\.jsonl(?:\.gz)?`,
  String.raw`\.relflow/partial/position-${uuidPattern}`,
  String.raw`\.relflow/work/${SHARD}\.\d+\.jsonl${TEMPORARY}?`,
  String.raw`\.relflow/tmp/(?:${TEMPORARY_FOLDER}/)?(?:${SPOOLS}/)+[\w.-]+`,
];
const FOLDERS = [
  String.raw`\.relflow(?:/(?:shards|partial|work|tmp))?`,
  String.raw`\.relflow/partial/\d+-${uuidPattern}`,
  String.raw`\.relflow/tmp/(?:${TEMPORARY_FOLDER}|(?:${TEMPORARY_FOLDER}/)?${SPOOLS}(?:/${SPOOLS})*)`,
];

const anyOf = (patterns: readonly string[]) => new RegExp(`^(?:${patterns.join('|')})$`);
const internalFile = anyOf(FILES);
const internalFolder = anyOf(FOLDERS);
const temporary = /^\.relflow\/tmp(?:\/|$)|\.json\.\d+$|^(?!\.relflow\/work\/).*\.partial$/;
const intermediate = /^\.relflow\/(?:(?:extent|progress)\.json$|(?:partial|work)(?:\/|$))/;
const lock = /^\.relflow\/lock(?:\.|\/|$)/;

/** Files of a run that its graph and manifest name. */
export interface NamedFiles {
  /** Ids of the graph's sinks. */
  readonly sinks: readonly string[];
  /** Paths of the files of finishers, relative to the run's folder. */
  readonly files: readonly string[];
}

/** Paths in the folder of a run that relflow writes. Everything else is the user's. */
export function ownPaths({ sinks, files }: NamedFiles): OwnPaths {
  const known = new Set(sinks);
  const named = new Set(files);
  const parents = new Set(files.flatMap(parentsOf));
  const partial = new RegExp(String.raw`^(.+?)(?:\.${uuidPattern})?\.partial$`);
  const shardFile = new RegExp(String.raw`^(${SINK})/${SHARD}\.jsonl(?:\.gz)?$`);
  return {
    isFile: (path) =>
      internalFile.test(path) ||
      named.has(path) ||
      named.has(partial.exec(path)?.[1] ?? '') ||
      known.has(shardFile.exec(path)?.[1] ?? ''),
    isFolder: (path) => internalFolder.test(path) || known.has(path) || parents.has(path),
    isKept: (path) => lock.test(path),
  };
}

/** Returns whether an own path is of a file that is not complete, or of a process's temporary files. */
export const isTemporary = (path: string): boolean => temporary.test(path);

/** Returns whether an own path is of a file that only an unfinished run needs, other than `queue.json`. */
export const isIntermediate = (path: string): boolean => intermediate.test(path);
