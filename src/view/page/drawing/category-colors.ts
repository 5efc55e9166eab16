/** Strokes that differ on photographs, also for most color-blind people (after Okabe and Ito, brightened). */
const COLORS = [
  '#ffffff',
  '#f4c95d',
  '#7fd1f7',
  '#8fe3b4',
  '#f79d84',
  '#d3b3f5',
  '#f5f08a',
  '#ffb3d6',
  '#b8c4d6',
  '#c9e26b',
];

/** Returns a color for each category name, by its order of appearance. */
export function categoryColors(categories: readonly string[]): readonly string[] {
  const names = [...new Set(categories)];
  return categories.map((category) => COLORS[names.indexOf(category) % COLORS.length]!);
}
