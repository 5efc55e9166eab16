import type { Command, Option } from 'commander';

/** What may follow the words of a command line. */
export interface Completions {
  readonly candidates: readonly { readonly text: string; readonly about: string }[];
  /** Paths that may follow as well. */
  readonly paths: 'files' | 'folders' | 'none';
}

const NOTHING: Completions = { candidates: [], paths: 'none' };
const FILES = new Set(['file', 'files', 'path', 'paths', 'weights', 'scene-graphs', 'from', 'to', 'a', 'b']);
const FOLDERS = new Set(['folder', 'dir']);

/**
 * Returns what may follow the words of a command line, from the commands and options that the parser itself knows. Runs no module of
 * the user's.
 *
 * @param words the words after `relflow`; the last one is being typed and may be empty
 */
export function completions(program: Command, words: readonly string[]): Completions {
  // Shells may split --name=value into three words.
  const typed = words.filter((word, index) => word !== '=' || index === words.length - 1);
  const last = typed.at(-1) === '=' ? '' : (typed.at(-1) ?? '');
  let command = program;
  let pending: Option | undefined;
  let position = 0;
  for (const word of typed.slice(0, -1)) {
    if (pending) {
      pending = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const option = word.includes('=') ? undefined : optionNamed(command, word);
      if (option && (option.required || option.optional)) pending = option;
      continue;
    }
    const sub = command.commands.find((known) => known.name() === word);
    if (sub) command = sub;
    else position++;
  }
  if (pending) return valuesOf(pending, last, '');
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = optionNamed(command, flag);
    return option ? valuesOf(option, value, `${flag}=`) : NOTHING;
  }
  if (last.startsWith('-')) return startingWith(last, optionsOf(command));
  const { candidates } = startingWith(last, commandsOf(command));
  const { registeredArguments } = command;
  const argument = registeredArguments[Math.min(position, registeredArguments.length - 1)];
  // The pipeline of run and plan may be a module.
  if (['run', 'plan'].includes(command.name())) return { candidates, paths: 'files' };
  if (!argument || (position >= registeredArguments.length && !argument.variadic)) return { candidates, paths: 'none' };
  const choices = (argument.argChoices ?? []).map((text) => ({ text, about: '' }));
  return {
    candidates: [...candidates, ...startingWith(last, choices).candidates],
    paths: pathsNamed(argument.name()),
  };
}

function optionNamed(command: Command, name: string): Option | undefined {
  return command.options.find(({ long, short }) => long === name || short === name);
}

function optionsOf(command: Command): Completions['candidates'] {
  const help = { text: '--help', about: 'show this help' };
  const known = command.options
    .filter(({ hidden, long }) => !hidden && long)
    .map(({ long, description }) => ({ text: long!, about: description }));
  return known.some(({ text }) => text === help.text) ? known : [...known, help];
}

function commandsOf(command: Command): Completions['candidates'] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((sub) => ({ text: sub.name(), about: sub.summary() || sub.description() }));
}

function valuesOf({ argChoices, flags }: Option, value: string, before: string): Completions {
  if (argChoices) {
    // A list such as `rlipv2,page` is completed at its last item.
    const start = value.slice(0, value.lastIndexOf(',') + 1);
    return startingWith(
      `${before}${value}`,
      argChoices.map((choice) => ({ text: `${before}${start}${choice}`, about: '' })),
    );
  }
  const [, name = ''] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? [];
  return { candidates: [], paths: before === '' ? pathsNamed(name.replace('...', '')) : 'none' };
}

function pathsNamed(name: string): Completions['paths'] {
  if (FILES.has(name)) return 'files';
  return FOLDERS.has(name) ? 'folders' : 'none';
}

function startingWith(text: string, candidates: Completions['candidates']): Completions {
  return { candidates: candidates.filter((candidate) => candidate.text.startsWith(text)), paths: 'none' };
}
