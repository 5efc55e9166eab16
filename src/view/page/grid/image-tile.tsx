import { useState } from 'preact/hooks';
import type { ImageCard } from '../../view-api.js';
import { pictureLink } from '../api.js';
import { address } from '../navigation.js';
import { PageLink } from '../page-link.js';
import { setInfo } from '../set-info.js';
import { cropTo } from './crop-to.js';

interface Props {
  /** Undefined while it is not loaded. */
  readonly card: ImageCard | undefined;
  readonly index: number;
  /** Height of the picture, in pixels. */
  readonly height: number;
  readonly isFocused: boolean;
  readonly onFocus: () => void;
}

/** An image of the grid: its picture with the first matching relation drawn, and the matching relations in words. */
export function ImageTile({ card, index, height, isFocused, onFocus }: Props) {
  if (!card)
    return (
      // biome-ignore lint/a11y/useSemanticElements: see the grid
      <div role="gridcell" tabIndex={-1} class="tile empty" style={{ '--height': `${height}px` }} aria-busy="true" />
    );
  const { key, file, relations, matching, sample, reviewed } = card;
  const said = sample.map(({ subject, predicate, object }) => `${subject} ${predicate} ${object}`.trim());
  return (
    // biome-ignore lint/a11y/useSemanticElements: see the grid
    <div role="gridcell" tabIndex={-1} class="tile" style={{ '--height': `${height}px` }}>
      <PageLink
        to={{ ...address.value, view: 'image', image: key }}
        data-index={index}
        tabIndex={isFocused ? 0 : -1}
        onFocus={onFocus}
        aria-label={`${file}: ${said.join('; ') || 'no relations'}`}
      >
        <TilePicture card={card} />
        <span class="tile-text" aria-hidden="true">
          <span class="said" title={said.join('\n')}>
            {said[0] ?? <i>no relations</i>}
          </span>
          <span class="meta">
            <span class="file">{file}</span>
            {reviewed > 0 && <span class="reviewed">{reviewed} reviewed</span>}
            <span class="number">{matching < relations ? `${matching} of ${relations}` : relations}</span>
          </span>
        </span>
      </PageLink>
    </div>
  );
}

function TilePicture({ card: { key, width, height, sample } }: { readonly card: ImageCard }) {
  const [isMissing, setMissing] = useState(false);
  const hasPicture = setInfo.value?.hasPictures && !isMissing;
  const first = sample[0];
  const boxes = [
    ['subject', first?.subjectBox],
    ['object', first?.objectBox],
  ] as const;
  const crop = cropTo(
    width,
    height,
    4 / 3,
    boxes.flatMap(([, box]) => (box ? [box] : [])),
  );
  return (
    <span class={hasPicture ? 'tile-picture' : 'tile-picture no-picture'}>
      <svg viewBox={crop.join(' ')} aria-hidden="true">
        {hasPicture && (
          <image
            href={pictureLink(key, 320)}
            width={width}
            height={height}
            preserveAspectRatio="none"
            onError={() => setMissing(true)}
          />
        )}
        {boxes.map(
          ([part, box]) =>
            box && (
              <g key={part}>
                <rect class="under" x={box[0]} y={box[1]} width={box[2]} height={box[3]} />
                <rect class={part} x={box[0]} y={box[1]} width={box[2]} height={box[3]} />
              </g>
            ),
        )}
      </svg>
    </span>
  );
}
