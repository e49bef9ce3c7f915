/**
 * One line over time as SVG: at most four gridlines, from zero, labelled directly, the value under the pointer or by
 * the arrow keys.
 *
 * Invariant: a gap in the points is a gap in the line.
 */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { say } from "../language.ts";
import { clockOf, rateText } from "./Rate.tsx";
import { extent, gridlines, type Point, runs, type Series, timeTicks } from "./rates.ts";

const HEIGHT = 196;
const [TOP, BOTTOM, END] = [16, 24, 8];
/** Of the value labels, by their longest. */
const SIGN_PX = 7.5;
/** Ticks nearer than this to the last label would run into it. */
const LABEL_PX = 64;
const DEFAULT_WIDTH = 560;

interface Scale {
  width: number;
  start: number;
  x: (at: number) => number;
  y: (value: number) => number;
  lines: number[];
}

function scaleOf({ points, stepMs }: Series, width: number): Scale {
  const most = Math.max(1, extent(points)!.high);
  const lines = gridlines(most);
  const start = Math.max(...lines.map((value) => rateText(value).length)) * SIGN_PX + 12;
  // A step is drawn in its middle, where its looks were on average.
  const [from, to] = [points[0]!.at, points.at(-1)!.at + stepMs];
  const x = (at: number) => start + ((at - from) / (to - from)) * (width - start - END);
  const y = (value: number) => TOP + (1 - value / Math.max(most, lines.at(-1)!)) * (HEIGHT - TOP - BOTTOM);
  return { width, start, x, y, lines };
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(DEFAULT_WIDTH);
  useLayoutEffect(() => {
    const measure = new ResizeObserver(([entry]) => setWidth(Math.max(200, Math.floor(entry!.contentRect.width))));
    measure.observe(box.current!);
    return () => measure.disconnect();
  }, []);
  return { box, width };
}

function Axes({ shown, scale, isLive }: { shown: Series; scale: Scale; isLive: boolean }) {
  const end = shown.points.at(-1)!.at + shown.stepMs;
  const { ticks } = timeTicks(shown.points[0]!.at, end, -new Date(end).getTimezoneOffset() * 60_000);
  const clock = clockOf(shown.to - shown.from);
  return (
    <g aria-hidden="true">
      {scale.lines.map((value) => (
        <g key={value}>
          <path class="grid" d={`M${scale.start} ${scale.y(value)}H${scale.width - END}`} />
          <text x={scale.start - 8} y={scale.y(value) + 4} text-anchor="end">
            {rateText(value)}
          </text>
        </g>
      ))}
      {ticks
        .filter((at) => scale.x(at) < scale.width - LABEL_PX && scale.x(at) > scale.start + 12)
        .map((at) => (
          <text key={at} x={scale.x(at)} y={HEIGHT - 4} text-anchor="middle">
            {clock(at)}
          </text>
        ))}
      <text x={scale.width - END} y={HEIGHT - 4} text-anchor="end">
        {isLive ? say("rate_now") : clock(end)}
      </text>
    </g>
  );
}

function Line({ shown, scale }: { shown: Series; scale: Scale }) {
  const half = shown.stepMs / 2;
  const place = (point: Point) => `${scale.x(point.at + half).toFixed(1)} ${scale.y(point.perMinute!).toFixed(1)}`;
  return (
    <g aria-hidden="true">
      {runs(shown.points).map((run) => {
        const line = run.map((point, i) => `${i ? "L" : "M"}${place(point)}`).join("");
        const [first, last] = [run[0]!, run.at(-1)!];
        const under = `${line}L${scale.x(last.at + half)} ${scale.y(0)}L${scale.x(first.at + half)} ${scale.y(0)}Z`;
        return (
          <g key={first.at}>
            <path class="under" d={under} />
            {/* A run of one point has no length; round ends make it a dot. */}
            <path class="line" d={run.length === 1 ? `${line}h.01` : line} />
          </g>
        );
      })}
    </g>
  );
}

/** The chosen point with its time and value. */
function Mark({ point, shown, scale }: { point: Point; shown: Series; scale: Scale }) {
  const x = scale.x(point.at + shown.stepMs / 2);
  const y = scale.y(point.perMinute!);
  const isLate = x > scale.width / 2;
  const text = say("rate_value", { time: clockOf(shown.to - shown.from)(point.at), value: rateText(point.perMinute!) });
  return (
    <g aria-hidden="true">
      <path class="mark" d={`M${x} ${TOP - 8}V${scale.y(0)}`} />
      <circle cx={x} cy={y} r="4" />
      <text class="value" x={x + (isLate ? -8 : 8)} y={TOP - 2} text-anchor={isLate ? "end" : "start"}>
        {text}
      </text>
    </g>
  );
}

interface PlotProps {
  shown: Series;
  summary: string;
  /** The end of the axis is now, and not some time in the past. */
  isLive: boolean;
}

export function Plot({ shown, summary, isLive }: PlotProps) {
  const { box, width } = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const known = shown.points.filter((point) => point.perMinute !== null);
  const scale = scaleOf(shown, width);
  const chosen = known.find((point) => point.at === at);
  const marked = chosen ?? known.at(-1)!;
  const point = (event: PointerEvent) => {
    const x = event.clientX - box.current!.getBoundingClientRect().left;
    const distance = (candidate: Point) => Math.abs(scale.x(candidate.at + shown.stepMs / 2) - x);
    setAt(known.reduce((best, candidate) => (distance(candidate) < distance(best) ? candidate : best)).at);
  };
  const value = say("rate_value", {
    time: clockOf(shown.to - shown.from)(marked.at),
    value: rateText(marked.perMinute!),
  });
  return (
    // Time runs from left to right in every script that has charts; so do the arrow keys of the slider.
    <div class="plot num" dir="ltr" ref={box} onPointerMove={point} onPointerLeave={() => setAt(null)}>
      <svg role="img" aria-label={summary} viewBox={`0 0 ${width} ${HEIGHT}`} height={HEIGHT}>
        <Axes shown={shown} scale={scale} isLive={isLive} />
        <Line shown={shown} scale={scale} />
        {chosen ? (
          <Mark point={chosen} shown={shown} scale={scale} />
        ) : (
          <circle cx={scale.x(marked.at + shown.stepMs / 2)} cy={scale.y(marked.perMinute!)} r="4" />
        )}
      </svg>
      <input
        type="range"
        aria-label={say("rate_point")}
        aria-valuetext={value}
        min={0}
        max={known.length - 1}
        value={known.indexOf(marked)}
        onInput={(event) => setAt(known[event.currentTarget.valueAsNumber]?.at ?? null)}
        onFocus={() => setAt(marked.at)}
        onBlur={() => setAt(null)}
      />
    </div>
  );
}
