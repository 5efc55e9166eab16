import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type RequestError } from '../api.js';
import { useShortcuts } from '../keyboard.js';
import { filter, refine } from '../navigation.js';
import { setInfo } from '../set-info.js';
import { problemPlace } from './problem-place.js';

/** The box for an expression. An error is shown below the place in the text where it is. */
export function ExpressionBox() {
  const where = filter.value.where ?? '';
  const [text, setText] = useState(where);
  const [problem, setProblem] = useState<RequestError | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setText(where), [where]);
  useEffect(() => {
    setProblem(null);
    if (!text.trim()) return;
    const controller = new AbortController();
    // The server reads the expression; the page does not know its grammar.
    const timer = setTimeout(() => {
      api.images({ where: text }, 'set', 0, 1, controller.signal).catch((error: RequestError) => {
        if (!controller.signal.aborted) setProblem(error);
      });
    }, 250);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text]);
  useShortcuts('Filter', [{ keys: ['/'], does: 'write an expression', run: () => input.current?.focus() }]);
  const found = problem && problemPlace(problem.message, text);
  const fields = setInfo.value?.fields ?? [];
  return (
    <form
      class="expression"
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) refine({ where: text.trim() || undefined });
      }}
    >
      <input
        ref={input}
        type="text"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setText(where);
          event.currentTarget.blur();
        }}
        placeholder={'confidence >= 0.5 and predicate != "on"'}
        aria-label="Expression that relations match"
        aria-invalid={problem !== null}
        aria-describedby="expression-problem"
        autocomplete="off"
        spellcheck={false}
      />
      <div id="expression-problem" class="expression-problem" role="alert">
        {found && (
          <>
            {found.place && (
              <span class="pointer" aria-hidden="true">
                {' '.repeat(found.place.start)}
                {'^'.repeat(Math.max(1, found.place.end - found.place.start))}
              </span>
            )}
            <span>{found.message}</span>
          </>
        )}
      </div>
      <div class="expression-help" aria-hidden="true">
        <p>
          {fields.map(({ name, summary }) => (
            <code key={name} title={summary}>
              {name}
            </code>
          ))}
        </p>
        <p>
          {['=', '!=', '<', '<=', '>', '>=', 'in ["on", "in"]', 'like "%ing on"', 'and', 'or', 'not', '( )'].map(
            (word) => (
              <code key={word}>{word}</code>
            ),
          )}
        </p>
      </div>
    </form>
  );
}
