import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type RequestError } from '../api.js';
import { useShortcuts } from '../keyboard.js';
import { filter, refine } from '../navigation.js';
import { setInfo } from '../set-info.js';

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
        list="fields"
      />
      <datalist id="fields">
        {fields.map(({ name, summary }) => (
          <option key={name} value={name} label={summary} />
        ))}
      </datalist>
      <div id="expression-problem" class="expression-problem" role="alert">
        {problem && (
          <>
            {problem.at !== undefined && (
              <span class="pointer" aria-hidden="true">
                {' '.repeat(problem.at)}^
              </span>
            )}
            <span>{problem.message}</span>
          </>
        )}
      </div>
    </form>
  );
}
