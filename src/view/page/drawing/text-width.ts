/** Size of the labels' font, in CSS pixels; `scene.css` has the same. */
const LABEL_FONT_SIZE = 11;

const widths = new Map<string, number>();
let context: CanvasRenderingContext2D | null | undefined;

/** Returns the width of a text in the labels' font, in CSS pixels. */
export function textWidth(text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  if (context === undefined) {
    context = document.createElement('canvas').getContext('2d');
    if (context) context.font = `600 ${LABEL_FONT_SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  }
  const width = context?.measureText(text).width ?? text.length * 0.6 * LABEL_FONT_SIZE;
  if (widths.size > 5000) widths.clear();
  widths.set(text, width);
  return width;
}
