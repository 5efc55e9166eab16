import { Presets, SingleBar } from 'cli-progress';
import { Option } from 'commander';
import type { RunProgress } from '../index.js';
import type { CommandContext, OutputStream } from './command-context.js';

/** Shows the progress of a run. */
export interface ProgressDisplay {
  update(progress: RunProgress): void;
  /** Removes the bar. */
  end(): void;
}

/** How often a line of JSON is written. */
export const SECONDS_BETWEEN_LINES = 5;
const MILLISECONDS_BETWEEN_FRAMES = 100;

/** Ways to show progress; `auto` is a bar on a terminal and nothing otherwise. */
const PROGRESS = ['auto', 'bar', 'json', 'none'] as const;

/** Options of a command that shows progress. */
export interface ProgressFlags {
  readonly progress: (typeof PROGRESS)[number];
  readonly quiet?: boolean;
}

/** Makes the option `--progress`. */
export const progressOption = () =>
  new Option(
    '--progress <how>',
    'progress on standard error: a bar, lines of JSON, or none; auto is a bar on a terminal and none elsewhere',
  )
    .choices(PROGRESS)
    .default('auto');

/** Makes the option `--quiet`. */
export const quietOption = () => new Option('-q, --quiet', 'the same as --progress none');

/** Returns how to show progress on a stream. */
export function progressMode({ progress, quiet }: ProgressFlags, stream: OutputStream): 'bar' | 'json' | 'none' {
  if (quiet) return 'none';
  if (progress !== 'auto') return progress;
  return stream.isTTY ? 'bar' : 'none';
}

/** Shows the progress of a run on standard error. */
export function progressDisplay(context: CommandContext, flags: ProgressFlags): ProgressDisplay {
  switch (progressMode(flags, context.stderr)) {
    case 'bar':
      return bar(context.stderr);
    case 'json':
      return lines(context);
    case 'none':
      return { update: () => {}, end: () => {} };
  }
}

const VERBS = {
  checking: 'checking inputs',
  reading: 'reading',
  records: 'images',
  finishing: 'checking shards',
} as const;

function bar(stream: OutputStream): ProgressDisplay {
  const display = new SingleBar(
    { format: '{what} [{bar}] {percentage}% {amount} {rate} {left}', hideCursor: true, noTTYOutput: true, stream },
    Presets.shades_classic,
  );
  let phase: RunProgress['phase'] | null = null;
  let last = 0;
  let started = { at: 0, done: 0 };
  /** The newest progress, if no frame shows it yet. */
  let unseen: RunProgress | null = null;
  const draw = ({ phase: drawn, done, total: known }: RunProgress) => {
    const total = known ?? 0;
    last = performance.now();
    unseen = null;
    const rate = last > started.at ? ((done - started.done) / (last - started.at)) * 1000 : 0;
    const bytes = drawn === 'reading' || drawn === 'checking';
    display.setTotal(Math.max(total, done));
    display.update(done, {
      amount: bytes ? `${mega(done)}/${mega(total)} MB` : `${done}/${known ?? '?'}`,
      rate: bytes ? `${mega(rate)} MB/s` : `${rate.toFixed(0)}/s`,
      left: rate > 0 && total > 0 ? `${duration((total - done) / rate)} left` : '',
    });
  };
  const end = () => {
    if (unseen) draw(unseen);
    if (phase) display.stop();
    phase = null;
  };
  return {
    update: (progress) => {
      if (progress.phase === 'finishing' && progress.total === null) return;
      if (progress.phase === phase && performance.now() - last < MILLISECONDS_BETWEEN_FRAMES) {
        unseen = progress;
        return;
      }
      if (progress.phase !== phase) {
        end();
        phase = progress.phase;
        started = { at: performance.now(), done: progress.done };
        display.start(progress.total ?? 0, progress.done, { what: VERBS[phase], amount: '', rate: '', left: '' });
      }
      draw(progress);
    },
    end,
  };
}

/** Formats seconds as `42 s`, `3 min` or `2 h 5 min`. */
function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** Writes a line of JSON at the start of each phase, then every few seconds, and at the end. */
function lines(context: CommandContext): ProgressDisplay {
  let last = 0;
  let started: { phase: RunProgress['phase']; at: number; done: number } | null = null;
  let unwritten: RunProgress | null = null;
  const write = (progress: RunProgress) => {
    const { phase, done, total } = progress;
    const at = performance.now();
    const perSecond = started && at > started.at ? ((done - started.done) / (at - started.at)) * 1000 : 0;
    const left = total === null || perSecond <= 0 ? null : (total - done) / perSecond;
    const event = { event: 'progress', ...progress, perSecond: round(perSecond), etaSeconds: left && round(left) };
    context.printEvent(event);
    last = at;
    started = { phase, at, done };
    unwritten = null;
  };
  return {
    update: (progress) => {
      if (started?.phase !== progress.phase) {
        if (unwritten) write(unwritten);
        // A resumed run starts with the records of the earlier process, which do not count for this one's speed.
        started = null;
        write(progress);
      } else if (performance.now() - last < SECONDS_BETWEEN_LINES * 1000) unwritten = progress;
      else write(progress);
    },
    end: () => {
      if (unwritten) write(unwritten);
    },
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Returns the progress of a process that knows only its phase. */
export function progressIn(phase: RunProgress['phase'], done: number, total: number | null): RunProgress {
  return { phase, done, total, records: 0, shards: 0, stages: {}, usage: {} };
}
