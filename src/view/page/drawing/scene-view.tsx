import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ImageObject } from '../../view-api.js';
import { useSize } from '../use-size.js';
import { curvePath, headPath } from './arrow.js';
import { categoryColors } from './category-colors.js';
import { fitPart, panBy, type View, zoomAbout } from './pan-zoom.js';
import type { Point, Rectangle } from './rectangle.js';
import { type DrawnRelation, type LabelMode, layOutScene, moveLabels, objectAt, type SceneRelation } from './scene.js';
import { textWidth } from './text-width.js';

interface Props {
  /** Address of the picture; null draws the boxes on a plain ground. */
  readonly picture: string | null;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly ImageObject[];
  readonly relations: readonly SceneRelation[];
  /** Key of the relation that is lit; null if none is. */
  readonly lit: string | null;
  readonly labels: LabelMode;
  readonly showsRelations: boolean;
  /** The part of the picture to show first, in its pixels; the whole if omitted. A change moves the view. */
  readonly part?: Rectangle;
  /** Whether a drag draws an arrow from box to box. */
  readonly isDrawing: boolean;
  readonly onHover: (key: string | null) => void;
  readonly onSelect: (key: string) => void;
  readonly onDrawn: (subject: number, object: number) => void;
  /** Receives the functions that keys call. */
  readonly controls?: { current: SceneControls | null };
  /** A view that several scenes share; their own if omitted. */
  readonly shared?: { readonly view: View | null; readonly set: (view: View) => void };
}

/** What keys do to a scene. */
export interface SceneControls {
  readonly zoom: (factor: number) => void;
  readonly pan: (dx: number, dy: number) => void;
  readonly fit: () => void;
}

/** A picture with its boxes, arrows and labels, which can be moved and magnified. */
export function SceneView(props: Props) {
  const { picture, description, width, height, objects, relations, lit, labels, showsRelations, part } = props;
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const [ownView, setOwnView] = useState<View | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const [line, setLine] = useState<{ readonly from: number; readonly to: Point; readonly over: number | null } | null>(
    null,
  );
  const image = { width, height };
  const view = (props.shared ? props.shared.view : ownView) ?? fitPart({ x: 0, y: 0, ...image }, size, 8);
  const setView = props.shared?.set ?? setOwnView;
  // Events may come faster than the page is drawn.
  const latest = useRef(view);
  latest.current = view;
  const change = (next: View) => {
    latest.current = next;
    setView(next);
  };

  const showWhole = () => change(fitPart(part ?? { x: 0, y: 0, ...image }, size, part ? 40 : 8));
  const partKey = part ? `${part.x} ${part.y} ${part.width} ${part.height}` : '';
  useLayoutEffect(() => {
    if (size.width > 0 && !props.shared?.view) showWhole();
  }, [partKey, picture, size.width, size.height]);

  if (props.controls)
    props.controls.current = {
      zoom: (factor) =>
        change(zoomAbout(latest.current, { x: size.width / 2, y: size.height / 2 }, factor, image, size)),
      pan: (dx, dy) => change(panBy(latest.current, dx, dy, image, size)),
      fit: showWhole,
    };

  useEffect(() => {
    const element = frame.current!;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      const factor = Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018) * (event.deltaMode === 1 ? 20 : 1));
      const point = { x: event.clientX - left, y: event.clientY - top };
      change(zoomAbout(latest.current, point, factor, image, size));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [size.width, size.height, width, height]);

  const pointers = useRef(new Map<number, Point>());
  const moved = useRef(0);
  const pointed = useRef<string | null>(null);
  const pointAt = (key: string | null) => {
    pointed.current = key;
    props.onHover(key);
  };
  const pointOf = (event: PointerEvent): Point => {
    const { left, top } = frame.current!.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const objectUnder = ({ x, y }: Point): number | null =>
    objectAt(objects, (x - latest.current.x) / latest.current.scale, (y - latest.current.y) / latest.current.scale);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button > 1) return;
    const point = pointOf(event);
    frame.current!.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, point);
    moved.current = 0;
    const from = props.isDrawing ? objectUnder(point) : null;
    if (from !== null) setLine({ from, to: point, over: null });
  };
  const onPointerMove = (event: PointerEvent) => {
    const point = pointOf(event);
    const before = pointers.current.get(event.pointerId);
    if (!before) {
      const under = objectUnder(point);
      if (under !== hovered) setHovered(under);
      return;
    }
    moved.current += Math.abs(point.x - before.x) + Math.abs(point.y - before.y);
    if (line) {
      const over = objectUnder(point);
      setLine({ ...line, to: point, over: over === line.from ? null : over });
    } else if (pointers.current.size === 2) {
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)![1];
      const distance = (a: Point) => Math.hypot(a.x - other.x, a.y - other.y);
      change(zoomAbout(latest.current, other, distance(point) / Math.max(1, distance(before)), image, size));
    } else change(panBy(latest.current, point.x - before.x, point.y - before.y, image, size));
    pointers.current.set(event.pointerId, point);
  };
  const onPointerUp = (event: PointerEvent) => {
    pointers.current.delete(event.pointerId);
    if (!line) {
      if (event.type === 'pointerup' && moved.current < 5 && pointed.current !== null) props.onSelect(pointed.current);
      return;
    }
    if (line.over !== null) props.onDrawn(line.from, line.over);
    setLine(null);
  };

  const litRelation = relations.find(({ key }) => key === lit);
  const litObjects = new Set<number>(hovered === null ? [] : [hovered]);
  if (litRelation) {
    litObjects.clear();
    litObjects.add(litRelation.subject);
    if (litRelation.object !== null) litObjects.add(litRelation.object);
  }
  if (line) {
    litObjects.clear();
    litObjects.add(line.from);
    if (line.over !== null) litObjects.add(line.over);
  }
  const shown = showsRelations ? relations : relations.filter(({ key }) => key === lit);
  // While the view moves, labels move along; they get new places when it rests.
  const [rest, setRest] = useState(view);
  useEffect(() => {
    const timer = setTimeout(() => setRest(latest.current), 90);
    return () => clearTimeout(timer);
  }, [view.x, view.y, view.scale]);
  const contents = { size: image, objects, relations: shown, litObjects, litRelation: lit };
  // Labels keep clear of the legend, which is there only when they are short.
  const [legendHeight, setLegendHeight] = useState(0);
  const screen = { x: 0, y: legendHeight, width: size.width, height: size.height - legendHeight };
  const content = [objects, shown, [...litObjects].join(), lit, labels, size.width, size.height, legendHeight];
  const atRest = useMemo(
    () => layOutScene({ ...contents, labels }, rest, screen, textWidth),
    [...content, rest.x, rest.y, rest.scale],
  );
  // A view that only moves shifts what is drawn; one that is magnified is drawn anew.
  const isShifted = rest.scale === view.scale;
  const scene = useMemo(
    () =>
      isShifted
        ? atRest
        : moveLabels(atRest, layOutScene({ ...contents, labels: 'none' }, view, screen, textWidth), rest, view),
    [atRest, ...(isShifted ? [0, 0, 0] : [view.x, view.y, view.scale])],
  );
  const shift = isShifted ? `translate(${view.x - rest.x}px, ${view.y - rest.y}px)` : 'none';
  const legend = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const element = legend.current;
    setLegendHeight(element ? element.offsetTop + element.offsetHeight : 0);
  }, [scene.isShort, objects, size.width]);
  const colors = useMemo(() => categoryColors(objects.map(({ category }) => category)), [objects]);
  const roleOf = (index: number): string =>
    index === (line?.from ?? litRelation?.subject)
      ? 'subject'
      : index === (line ? line.over : litRelation?.object)
        ? 'object'
        : litObjects.has(index)
          ? 'lit'
          : '';
  const isDimmed = litRelation !== undefined || line !== null;
  const from = line && scene.boxes[line.from]?.rectangle;
  return (
    <div
      ref={frame}
      class={`scene ${props.isDrawing ? 'drawing' : ''}`}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => setHovered(null)}
      onDblClick={showWhole}
    >
      {picture === null ? (
        <div class="ground" style={placed(view, width, height)} />
      ) : (
        <img class="ground" src={picture} alt={description} draggable={false} style={placed(view, width, height)} />
      )}
      <svg width={size.width} height={size.height} role="img" aria-label={description} style={{ transform: shift }}>
        <g class={isDimmed ? 'boxes dimmed' : 'boxes'}>
          {scene.boxes.map(({ index, rectangle }) => (
            <g key={index} class={roleOf(index)}>
              <rect class="under" {...rectangle} />
              <rect class="box" {...rectangle} stroke={colors[index]} />
            </g>
          ))}
        </g>
        <g class={isDimmed ? 'arrows dimmed' : 'arrows'}>
          {litLast(scene.relations, lit).map(({ relation: { key, look, subject, object }, arrow }) => {
            if (!arrow) return null;
            const isNear = hovered !== null && (subject === hovered || object === hovered);
            return (
              <g
                key={key}
                class={`arrow ${look} ${key === lit ? 'lit' : ''} ${!lit && hovered !== null && !isNear ? 'far' : ''}`}
                onPointerEnter={() => pointAt(key)}
                onPointerLeave={() => pointAt(null)}
              >
                <path class="touch" d={curvePath(arrow)} />
                <path class="under" d={curvePath(arrow)} />
                <path class="curve" d={curvePath(arrow)} />
                <circle r="3" cx={arrow.from.x} cy={arrow.from.y} />
                <path class="head" d={headPath(arrow)} />
              </g>
            );
          })}
          {line && from && (
            <path
              class="new-line"
              d={`M${from.x + from.width / 2} ${from.y + from.height / 2}L${line.to.x} ${line.to.y}`}
            />
          )}
        </g>
        <g class="labels">
          {scene.boxes.map(({ index, label, text, rectangle }) => {
            if (!label) return null;
            const role = roleOf(index);
            return (
              <g key={index} class={`box-label ${role} ${isDimmed && !role ? 'dimmed' : ''}`}>
                {isApart(label, rectangle) && (
                  <path
                    class="leader"
                    d={`M${label.x + label.width / 2} ${label.y + label.height / 2}L${rectangle.x + rectangle.width / 2} ${rectangle.y + rectangle.height / 2}`}
                  />
                )}
                <rect {...label} rx="3" />
                <rect class="swatch" x={label.x} y={label.y} width="3" height={label.height} fill={colors[index]} />
                <text x={label.x + 5} y={label.y + 12.5}>
                  {text}
                </text>
              </g>
            );
          })}
          {litLast(scene.relations, lit).map(({ relation: { key, look }, label, text }) => {
            if (!label) return null;
            return (
              <g
                key={key}
                class={`relation-label ${look} ${key === lit ? 'lit' : ''} ${isDimmed && key !== lit ? 'dimmed' : ''}`}
                onPointerEnter={() => pointAt(key)}
                onPointerLeave={() => pointAt(null)}
              >
                <rect {...label} rx="8.5" />
                <text x={label.x + 5} y={label.y + 12.5}>
                  {text}
                </text>
              </g>
            );
          })}
        </g>
      </svg>
      {scene.isShort && (
        <ul class="legend" aria-label="Categories" ref={legend}>
          {[...new Map(objects.map(({ category }, index) => [category, colors[index]]))].map(([category, color]) => (
            <li key={category}>
              <svg viewBox="0 0 10 10" aria-hidden="true">
                <rect width="10" height="10" rx="2" fill={color} />
              </svg>
              {category}
            </li>
          ))}
        </ul>
      )}
      {scene.hidden > 0 && lit === null && (
        <span class="hidden-labels">
          {scene.hidden} {scene.hidden === 1 ? 'label has' : 'labels have'} no room; zoom in or point at a box
        </span>
      )}
    </div>
  );
}

const placed = ({ x, y, scale }: View, width: number, height: number) => ({
  width: `${width}px`,
  height: `${height}px`,
  transform: `translate(${x}px, ${y}px) scale(${scale})`,
});

/** What is drawn last is on top. */
const litLast = (relations: readonly DrawnRelation[], lit: string | null): readonly DrawnRelation[] =>
  lit === null
    ? relations
    : [...relations].sort((a, b) => Number(a.relation.key === lit) - Number(b.relation.key === lit));

/** Whether a label is so far from its box that a line should lead to it. */
const isApart = (label: Rectangle, box: Rectangle): boolean =>
  label.x > box.x + box.width + 2 ||
  label.y > box.y + box.height + 2 ||
  label.x + label.width < box.x - 2 ||
  label.y + label.height < box.y - 2;
