import { useState } from 'preact/hooks';
import { type Address, START, type ViewName } from './address.js';
import { ChartsView } from './charts/charts-view.js';
import { CompareView } from './compare/compare-view.js';
import { saveProblem, undo } from './edits.js';
import { ImagesView } from './grid/images-view.js';
import { ImageView } from './image/image-view.js';
import { KeyHelp } from './key-help.js';
import { useShortcuts } from './keyboard.js';
import { address, goTo } from './navigation.js';
import { PageLink } from './page-link.js';
import { ReviewView } from './review/review-view.js';
import { SaveState } from './review/save-state.js';
import { setInfo, setProblem } from './set-info.js';
import { nextTheme, theme } from './theme.js';

const VIEWS: readonly { readonly name: ViewName; readonly label: string; readonly key: string }[] = [
  { name: 'images', label: 'Images', key: '1' },
  { name: 'charts', label: 'Charts', key: '2' },
  { name: 'review', label: 'Review', key: '3' },
  { name: 'compare', label: 'Compare', key: '4' },
];

/** The page: its bar and the view that the address names. */
export function App() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const { view } = address.value;
  const info = setInfo.value;
  const views = VIEWS.filter(({ name }) => name !== 'compare' || info?.compare);
  const addressIn = (name: ViewName): Address => {
    const { filter, sort } = address.value;
    return { ...START, filter, sort, view: name };
  };
  useShortcuts('Everywhere', [
    ...views.map(({ name, label, key }) => ({ keys: [key], does: label, run: () => goTo(addressIn(name)) })),
    { keys: ['u'], does: 'undo the last correction', run: () => void undo() },
    { keys: ['t'], does: 'light, dark or as the system', run: nextTheme },
    { keys: ['?'], does: 'this overview', run: () => setHelpOpen(true) },
  ]);
  const present = view === 'image' ? 'images' : view;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <span class="name">
          <img src="icon.svg" alt="" width="20" height="20" />
          <b>relflow</b>
          <span class="set-name" title={info?.name}>
            {info?.name}
          </span>
        </span>
        <nav aria-label="Views">
          {views.map(({ name, label, key }) => (
            <PageLink
              key={name}
              to={addressIn(name)}
              aria-current={present === name ? 'page' : undefined}
              aria-keyshortcuts={key}
            >
              {label}
            </PageLink>
          ))}
        </nav>
        <Progress />
        <SaveState />
        <button
          type="button"
          class="plain"
          onClick={nextTheme}
          aria-label={`Colors: ${theme.value}`}
          title={`Colors: ${theme.value} (t)`}
        >
          {theme.value === 'system' ? '◐' : theme.value === 'light' ? '☀' : '☾'}
        </button>
        <button type="button" class="plain" onClick={() => setHelpOpen(true)} aria-label="Keys" title="Keys (?)">
          ?
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {setProblem.value && !info ? (
          <p class="problem" role="alert">
            {setProblem.value.message}
          </p>
        ) : (
          info && <View />
        )}
      </main>
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
    </>
  );
}

function View() {
  const { view, image } = address.value;
  if (view === 'charts') return <ChartsView />;
  if (view === 'review') return <ReviewView />;
  if (view === 'compare') return <CompareView />;
  if (view === 'image' && image !== undefined) return <ImageView image={image} />;
  return <ImagesView />;
}

/** How much of the set is read, while it is, and whether the server is away. */
function Progress() {
  const info = setInfo.value;
  if (!info) return null;
  const { done, share, images } = info.indexing;
  // What hinders saving is said by the state of saving.
  const problem = info.indexing.problem ?? (saveProblem.value ? undefined : setProblem.value?.message);
  if (problem)
    return (
      <span class="progress problem" role="alert">
        {problem}
      </span>
    );
  if (done) return null;
  return (
    <span class="progress" role="status">
      reading: {Math.floor(100 * share)} %, {images.toLocaleString('en-US')} images
    </span>
  );
}
