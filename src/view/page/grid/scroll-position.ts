/** The greatest height of an element, in pixels, that all browsers can scroll through. */
export const MAX_SCROLL_HEIGHT = 8_000_000;

/** A place in content that may be higher than an element can be. */
export interface ScrollPosition {
  /** What the scrolled element says, in pixels. */
  readonly scrollTop: number;
  /** The top of the window in the content, in pixels. */
  readonly contentTop: number;
}

/**
 * Returns where the window is after the element was scrolled. A small step moves by as much in the content, as people expect
 * of a wheel; a large one, of the scroll bar, goes to the same share of the content.
 *
 * @param contentHeight height of the whole content, in pixels
 * @param windowHeight height of the part that is visible, in pixels
 */
export function scrolledTo(
  scrollTop: number,
  previous: ScrollPosition,
  contentHeight: number,
  windowHeight: number,
): ScrollPosition {
  const contentMax = Math.max(0, contentHeight - windowHeight);
  if (contentHeight <= MAX_SCROLL_HEIGHT) return { scrollTop, contentTop: Math.min(scrollTop, contentMax) };
  const max = MAX_SCROLL_HEIGHT - windowHeight;
  const step = scrollTop - previous.scrollTop;
  if (scrollTop <= 0) return { scrollTop: 0, contentTop: 0 };
  if (scrollTop >= max) return { scrollTop, contentTop: contentMax };
  const isSmall = Math.abs(step) < 1.5 * windowHeight;
  const contentTop = isSmall ? previous.contentTop + step : (scrollTop / max) * contentMax;
  return { scrollTop, contentTop: Math.min(contentMax, Math.max(0, contentTop)) };
}

/** Returns the `scrollTop` that stands for a place of the content. */
export function scrollTopFor(contentTop: number, contentHeight: number, windowHeight: number): number {
  if (contentHeight <= MAX_SCROLL_HEIGHT) return contentTop;
  return (contentTop / Math.max(1, contentHeight - windowHeight)) * (MAX_SCROLL_HEIGHT - windowHeight);
}
