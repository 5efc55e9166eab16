import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ImageCard } from '../../view-api.js';
import { useShortcuts } from '../keyboard.js';
import { rememberedScroll, rememberScroll } from '../navigation.js';
import { useSize } from '../use-size.js';
import { ImageTile } from './image-tile.js';
import { MAX_SCROLL_HEIGHT, type ScrollPosition, scrolledTo, scrollTopFor } from './scroll-position.js';
import type { ImagePages } from './use-image-pages.js';

interface Props {
  readonly pages: ImagePages;
  /** What is listed; a change goes back to the top. */
  readonly listKey: string;
  /** The least width of a tile, in pixels. */
  readonly tileWidth: number;
  readonly onOpen: (card: ImageCard) => void;
}

const GAP = 10;
/** Height of the text below a picture, in pixels. */
const TEXT = 44;
/** Rows that are drawn above and below the window. */
const MARGIN = 2;

/** A grid of images that draws only the rows that can be seen. */
export function ImageGrid({ pages, listKey, tileWidth, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const [position, setPosition] = useState<ScrollPosition>({ scrollTop: 0, contentTop: 0 });
  const [focus, setFocus] = useState(0);
  const settleTimer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const total = pages.total ?? 0;
  const columns = Math.max(1, Math.floor((size.width - GAP) / (tileWidth + GAP)));
  const width = Math.floor((size.width - GAP * (columns + 1)) / columns);
  const rowHeight = Math.round(width * 0.75) + TEXT + GAP;
  const rows = Math.ceil(total / columns);
  const contentHeight = rows * rowHeight + GAP;

  const scrollContentTo = (contentTop: number) => {
    const element = scroller.current!;
    const top = Math.max(0, Math.min(contentTop, contentHeight - size.height));
    element.scrollTop = scrollTopFor(top, contentHeight, size.height);
    setPosition({ scrollTop: element.scrollTop, contentTop: top });
  };

  const listed = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (total === 0 || size.height === 0 || listed.current === listKey) return;
    listed.current = listKey;
    setFocus(0);
    scrollContentTo(rememberedScroll());
  }, [listKey, total, size.height]);

  const first = Math.max(0, Math.floor(position.contentTop / rowHeight) - MARGIN);
  const last = Math.min(rows - 1, Math.ceil((position.contentTop + size.height) / rowHeight) + MARGIN);
  useEffect(() => {
    if (size.width > 0) pages.need(first * columns, Math.max(0, (last + 1) * columns - 1));
  });

  const onScroll = () => {
    const next = scrolledTo(scroller.current!.scrollTop, position, contentHeight, size.height);
    setPosition(next);
    rememberScroll(next.contentTop);
    clearTimeout(settleTimer.current);
    if (contentHeight <= MAX_SCROLL_HEIGHT) return;
    // After small steps the scroll bar is brought in line with the content.
    settleTimer.current = setTimeout(() => scrollContentTo(next.contentTop), 200);
  };

  const focusOn = (index: number) => {
    const next = Math.max(0, Math.min(total - 1, index));
    setFocus(next);
    const top = Math.floor(next / columns) * rowHeight;
    if (top < position.contentTop) scrollContentTo(top);
    else if (top + rowHeight > position.contentTop + size.height) scrollContentTo(top + rowHeight + GAP - size.height);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
  };
  const onPage = Math.max(1, Math.floor(size.height / rowHeight)) * columns;
  useShortcuts('Images', [
    { keys: ['ArrowLeft', 'h'], does: 'image to the left', run: () => focusOn(focus - 1) },
    { keys: ['ArrowRight', 'l'], does: 'image to the right', run: () => focusOn(focus + 1) },
    { keys: ['ArrowUp', 'k'], does: 'image above', run: () => focusOn(focus - columns) },
    { keys: ['ArrowDown', 'j'], does: 'image below', run: () => focusOn(focus + columns) },
    { keys: ['PageUp'], does: 'a page up', run: () => focusOn(focus - onPage) },
    { keys: ['PageDown'], does: 'a page down', run: () => focusOn(focus + onPage) },
    { keys: ['Home'], does: 'first image', run: () => focusOn(0) },
    { keys: ['End'], does: 'last image', run: () => focusOn(total - 1) },
    {
      keys: ['Enter', 'o'],
      does: 'open the image',
      run: () => {
        const card = pages.at(focus);
        if (card) onOpen(card);
      },
    },
  ]);

  const shown: number[] = [];
  for (let row = first; row <= last; row++) shown.push(row);
  return (
    <div class="grid-scroller" ref={scroller} onScroll={onScroll}>
      {/* biome-ignore lint/a11y/useSemanticElements: a table cannot hold rows that are drawn as one scrolls */}
      <div
        class="grid-content"
        role="grid"
        tabIndex={-1}
        aria-label="Images"
        aria-rowcount={rows}
        style={{ height: `${Math.min(contentHeight, MAX_SCROLL_HEIGHT)}px` }}
      >
        {shown.map((row) => (
          // biome-ignore lint/a11y/useSemanticElements: see above
          <div
            key={row}
            role="row"
            tabIndex={-1}
            aria-rowindex={row + 1}
            class="grid-row"
            style={{
              transform: `translateY(${Math.round(position.scrollTop + row * rowHeight + GAP - position.contentTop)}px)`,
              gridTemplateColumns: `repeat(${columns}, ${width}px)`,
            }}
          >
            {Array.from({ length: Math.min(columns, total - row * columns) }, (_, column) => {
              const index = row * columns + column;
              const card = pages.at(index);
              return (
                <ImageTile
                  key={card?.key ?? `place ${index}`}
                  card={card}
                  index={index}
                  height={rowHeight - TEXT - GAP}
                  isFocused={index === focus}
                  onFocus={() => setFocus(index)}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
