import { refusedEdit, retryNow, savedCount, saveProblem, unsaved } from '../edits.js';

/** Says whether all corrections are saved, and what hinders it. */
export function SaveState() {
  const problem = saveProblem.value;
  if (problem)
    return (
      <span class="save-state problem" role="alert">
        {unsaved.value} not saved: {problem.message}{' '}
        <button type="button" onClick={retryNow}>
          Retry now
        </button>
      </span>
    );
  if (refusedEdit.value)
    return (
      <span class="save-state problem" role="alert">
        not saved: {refusedEdit.value}{' '}
        <button
          type="button"
          onClick={() => {
            refusedEdit.value = null;
          }}
        >
          Dismiss
        </button>
      </span>
    );
  if (unsaved.value > 0) return <span class="save-state">saving…</span>;
  return (
    <span class="save-state saved" role="status">
      {savedCount.value > 0 ? 'saved' : ''}
    </span>
  );
}
