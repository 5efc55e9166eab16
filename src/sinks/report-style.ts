/**
 * Returns the style sheet of the report page.
 *
 * @param relations largest number of relations that an image lists; each gets a rule that shows its pair of boxes
 */
export function reportStyle(relations: number): string {
  const pairs = Array.from(
    { length: relations },
    (_, index) => `.scene:has(.relation-${index}:is(:hover,:focus)) .pair-${index}{display:inline}\n`,
  );
  return `${STYLE}${pairs.join('')}`;
}

const STYLE = `:root{--page:#f6f7f9;--card:#fff;--text:#1b1f24;--faint:#646c76;--line:#d9dde3;--bar:#2f7de1;--warn:#fff3d6;--warn-line:#d99a00;--ground:#e3e7ec}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--card:#1d2126;--text:#e7eaee;--faint:#98a1ac;--line:#333940;--bar:#5a9bf0;--warn:#3a2f12;--warn-line:#d99a00;--ground:#2a2f36}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1500px;padding:1.5rem;background:var(--page);color:var(--text);font:15px/1.45 system-ui,sans-serif}
h1{margin:0 0 .75rem;font-size:1.5rem;overflow-wrap:anywhere}
h2{margin:0 0 .5rem;font-size:.9rem;font-weight:600;overflow-wrap:anywhere}
.summary{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0 0 1rem}
.summary dt{color:var(--faint);font-size:.85rem}
.summary dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums}
.note{margin:0 0 1rem;color:var(--faint)}
.baseline{padding:.6rem .9rem;border-left:4px solid var(--warn-line);background:var(--warn);color:var(--text)}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(420px,100%),1fr));gap:1.25rem;align-items:start}
.scene{padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:8px}
svg{display:block;width:100%;height:auto;max-height:70vh;border-radius:4px}
.ground{fill:var(--ground)}
svg g rect{fill:none;stroke:var(--colour);stroke-width:2;vector-effect:non-scaling-stroke}
svg text{fill:#fff;stroke:#000;stroke-width:.22em;stroke-linejoin:round;paint-order:stroke;font-family:system-ui,sans-serif;font-weight:600}
svg .pair{display:none}
.crowd .box{pointer-events:all}
.crowd .box:not(:hover) text{display:none}
svg .subject rect,svg .object rect{stroke-width:4}
svg .subject>rect{fill:var(--colour);fill-opacity:.18}
svg .object rect{stroke-dasharray:7 4}
.scene:has(.relations li:is(:hover,:focus)) .box{opacity:.12}
.captions{margin:.75rem 0 0;padding-left:1.5rem}
.captions,.triplet{overflow-wrap:anywhere}
.source,.none,.score{color:var(--faint);font-size:.8rem}
.relations{list-style:none;margin:.75rem 0 0;padding:0;max-height:22rem;overflow:auto}
.relations li{display:grid;grid-template-columns:1fr auto 5rem;gap:.6rem;align-items:center;padding:.25rem .4rem;border-radius:4px;cursor:default}
.relations li:is(:hover,:focus){background:var(--page);outline:1px solid var(--line)}
.score{text-align:right;font-variant-numeric:tabular-nums}
.bar{height:.45rem;border-radius:1rem;background:var(--line)}
.bar i{display:block;height:100%;border-radius:1rem;background:var(--bar)}
.none{margin:.75rem 0 0}
`;
