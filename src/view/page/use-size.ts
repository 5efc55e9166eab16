import { useLayoutEffect, useState } from 'preact/hooks';
import type { Size } from './drawing/pan-zoom.js';

/** Returns the width and height of an element inside its borders, in CSS pixels; 0 until it is drawn. */
export function useSize(element: { readonly current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const present = element.current!;
    const measure = () => setSize({ width: present.clientWidth, height: present.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(present);
    return () => observer.disconnect();
  }, []);
  return size;
}
