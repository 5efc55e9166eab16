import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Count } from '../../view-api.js';
import { api } from '../api.js';

interface Props {
  readonly value: string;
  readonly label: string;
  readonly onChoose: (predicate: string) => void;
  readonly onCancel: () => void;
}

/** A box for a predicate with completion from the predicates of the set. */
export function PredicateInput({ value, label, onChoose, onCancel }: Props) {
  const [text, setText] = useState(value);
  const [terms, setTerms] = useState<readonly Count[]>([]);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  // At once, so that no key of a fast writer is taken for a shortcut.
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  useEffect(() => {
    const controller = new AbortController();
    // The present predicate alone would complete to itself: first come the most frequent ones.
    const asked = text === value ? '' : text.trim();
    api.terms('predicate', asked, controller.signal).then(
      ({ terms: found }) => setTerms(found.slice(0, 8)),
      () => setTerms([]),
    );
    setActive(-1);
    return () => controller.abort();
  }, [text]);
  const choose = (predicate: string) => {
    const chosen = predicate.trim();
    if (chosen) onChoose(chosen);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setActive(Math.max(-1, Math.min(terms.length - 1, active + step)));
    } else if (event.key === 'Tab' && terms.length > 0 && active < 0 && text !== value) {
      event.preventDefault();
      setText(terms[0]!.value);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      choose(active >= 0 ? terms[active]!.value : text);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      onCancel();
    }
  };
  return (
    <span class="predicate-input">
      <input
        ref={input}
        type="text"
        role="combobox"
        value={text}
        aria-label={label}
        aria-expanded={terms.length > 0}
        aria-controls={`${id}-terms`}
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="terms" id={`${id}-terms`} role="listbox" aria-label="Predicates of the set">
        {terms.map(({ value: term, count }, index) => (
          <div
            key={term}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onPointerDown={(event) => {
              event.preventDefault();
              choose(term);
            }}
          >
            <span>{term}</span>
            <span class="count">{count.toLocaleString('en-US')}</span>
          </div>
        ))}
      </div>
    </span>
  );
}
