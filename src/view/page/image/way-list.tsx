import type { ImageWay } from '../../view-api.js';

/** Every decision of every stage about the image. */
export function WayList({ way }: { readonly way: ImageWay }) {
  if (way.problem) return <p class="nothing">{way.problem}</p>;
  const stages = [...new Set(way.steps.map(({ stage }) => stage))];
  return (
    <div class="way">
      {stages.map((stage) => (
        <details key={stage} open>
          <summary>{stage}</summary>
          <ul>
            {way.steps
              .filter((step) => step.stage === stage)
              .map(({ line }, index) => (
                <li key={index}>{line}</li>
              ))}
          </ul>
        </details>
      ))}
    </div>
  );
}
