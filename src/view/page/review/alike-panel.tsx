import { useEffect, useRef, useState } from 'preact/hooks';
import type { Alike, EditAction, QueueItem } from '../../review-api.js';
import { api, type RequestError } from '../api.js';
import { unsaved } from '../edits.js';
import { useShortcuts } from '../keyboard.js';
import { address } from '../navigation.js';
import { queueFilter } from './queue-items.js';
import { VERDICTS } from './verdicts.js';

interface Props {
  readonly item: QueueItem;
  readonly onJudge: (relations: Alike['relations'], what: EditAction) => void;
  readonly onCancel: () => void;
}

/** Says how many relations of the queue have the names of one of them, and takes one verdict on all. */
export function AlikePanel({ item, onJudge, onCancel }: Props) {
  const [alike, setAlike] = useState<Alike | null>(null);
  const [error, setError] = useState<RequestError | null>(null);
  const panel = useRef<HTMLDivElement>(null);
  // What is judged and not yet saved would count as open, and get another verdict.
  const isSaved = unsaved.value === 0;
  useEffect(() => panel.current?.focus(), []);
  useEffect(() => {
    if (!isSaved) return;
    const controller = new AbortController();
    api.alike(queueFilter(), address.value.queue, item, controller.signal).then(setAlike, (problem: RequestError) => {
      if (!controller.signal.aborted) setError(problem);
    });
    return () => controller.abort();
  }, [isSaved]);
  const judgeAll = (what: EditAction) => {
    if (alike && isSaved) onJudge(alike.relations, what);
  };
  useShortcuts('All like this', [
    ...VERDICTS.map(({ keys, does, what }) => {
      return { keys: keys.slice(0, 1), does: `of all: ${does}`, run: () => judgeAll(what) };
    }),
    { keys: ['Escape', 'l'], does: 'back to this one alone', run: onCancel },
  ]);
  const count = alike?.relations.length ?? 0;
  return (
    <div class="alike" role="dialog" aria-label="All like this" tabIndex={-1} ref={panel}>
      <p aria-live="polite">
        {error?.message ?? (alike && isSaved ? textOf(alike, item) : isSaved ? 'Counting…' : 'Saving what is judged…')}
      </p>
      {VERDICTS.map(({ label, keys, what, look }) => (
        <button
          key={label}
          type="button"
          class={look}
          disabled={count === 0 || !isSaved}
          onClick={() => judgeAll(what)}
        >
          {label === 'Other boxes' ? 'All: other boxes' : `All ${label.toLowerCase()}`} <kbd>{keys[0]}</kbd>
        </button>
      ))}
      <button type="button" class="plain" onClick={onCancel}>
        Cancel <kbd>Esc</kbd>
      </button>
    </div>
  );
}

function textOf({ relations, images, open, judged }: Alike, { subject, predicate, object }: QueueItem): string {
  const number = (count: number, one: string) => `${count.toLocaleString('en-US')} ${count === 1 ? one : `${one}s`}`;
  const notAll = relations.length < open ? `, the first ${relations.length.toLocaleString('en-US')} at once` : '';
  const verb = judged === 1 ? 'stays as it is' : 'stay as they are';
  const stay = judged === 0 ? '' : ` ${number(judged, 'judged one')} ${verb}.`;
  const name = [subject, predicate, object].filter((part) => part !== '').join(' ');
  return `${number(open, 'relation')} “${name}” without a judgment, in ${number(images, 'image')} of this queue${notAll}.${stay}`;
}
