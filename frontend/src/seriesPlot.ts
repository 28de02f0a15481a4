/**
 * Draws streams: one lane for each two units, so that two units never share an axis, and one for each stream of
 * categories. A mean is a line, lowest to highest a band, a gap a gap, an implausible value a ring.
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, zone } from './page';
import { sayTick, sayValue } from './seriesWords';

export interface Stream {
  id: string;
  name: string;
  label: string;
  unit: string;
  unitText: string;
  kind: 'number' | 'boolean' | 'category' | 'text' | 'other';
  method: 'values' | 'readings' | 'held';
  /** Seconds of a bucket; 0 where each time has its own value. */
  width: number;
  simulated: boolean;
  forecast: boolean;
  t: number[];
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  count: number[];
  flagged?: number[];
  words?: (string | null)[];
  shares?: (number | null)[];
  categories?: string[];
  /** Seconds by which it is drawn later than it was: an earlier span under a later one. */
  shift?: number;
  /** A value that cannot be gone beyond, such as all spaces of a car park. */
  limit?: number | null;
}

export interface Answer {
  from: number;
  to: number;
  width: number;
  streams: Stream[];
}

interface Lane {
  keys: string[];
  streams: number[];
}

const COLOURS = 6;
const FONT = "14px 'Fira Sans', sans-serif";
const BANDED = 4;
const DOTTED = 80;

export class Plots {
  private readonly plots: uPlot[] = [];
  private readonly places: HTMLElement[] = [];

  constructor(
    private readonly place: HTMLElement,
    private readonly answer: Answer,
    /** Null where nothing finer can be shown. */
    private readonly onSelect: ((from: number, to: number) => void) | null,
    private readonly onPoint: (time: number | null) => void,
  ) {
    place.replaceChildren();
    const sync = `series-${Math.random().toString(36).slice(2)}`;
    for (const lane of lanes(answer.streams)) this.plots.push(this.draw(lane, sync));
  }

  get empty(): boolean {
    return this.plots.length === 0;
  }

  destroy(): void {
    for (const plot of this.plots) plot.destroy();
    this.place.replaceChildren();
  }

  resize(width: number): void {
    this.plots.forEach((plot, at) => plot.setSize({ width, height: this.places[at]!.clientHeight }));
  }

  /** Show this span with what is there, until finer values have come. */
  show(from: number, to: number): void {
    for (const plot of this.plots) plot.setScale('x', { min: from, max: to });
  }

  /** Move the reading point. */
  point(time: number): void {
    const plot = this.plots[0];
    plot?.setCursor({ left: plot.valToPos(time, 'x'), top: 0 });
    for (const other of this.plots.slice(1)) other.setCursor({ left: other.valToPos(time, 'x'), top: 0 }, false);
  }

  private draw(lane: Lane, sync: string): uPlot {
    const { streams } = this.answer;
    const box = document.createElement('div');
    box.className = 'series__lane';
    this.place.append(box);
    this.places.push(box);
    const single = streams.length === 1;
    const tables = lane.streams.map((at) => columns(streams[at]!));
    const data = uPlot.join(
      tables,
      tables.map((table) => table.map((_, at) => (at === 0 ? 0 : 1))),
    );
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    lane.streams.forEach((at) => {
      const stream = streams[at]!;
      const scale = keyOf(stream);
      const line = strokeOf(streams, at);
      const first = series.length;
      series.push({
        scale,
        stroke: line,
        width: stream.shift ? 1.5 : 2,
        dash: stream.shift ? [6, 5] : stream.forecast ? [10, 4] : [],
        spanGaps: false,
        ...(isStepped(stream) ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
        points: { show: true, size: 5, fill: line, stroke: line, filter: (plot, at) => dots(plot, at, stream) },
      });
      if (!isBanded(stream)) return;
      const quiet: uPlot.Series = { scale, stroke: 'transparent', spanGaps: false, points: { show: false } };
      series.push(quiet, { ...quiet });
      if (streams.length <= BANDED) {
        bands.push({ series: [first + 2, first + 1], fill: `color-mix(in srgb, ${line} 20%, transparent)` });
      }
    });
    const drawn = lane.streams.map((at) => ({ stream: streams[at]!, line: strokeOf(streams, at) }));
    const scales: Record<string, uPlot.Scale> = { x: { time: true, range: this.spanned() } };
    for (const key of lane.keys) scales[key] = { range: rangeOf(drawn.filter((one) => keyOf(one.stream) === key)) };
    const options: uPlot.Options = {
      width: this.place.clientWidth,
      height: box.clientHeight,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      padding: [10, 10, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        sync: { key: sync },
        drag: { x: this.onSelect !== null, y: false, setScale: false },
        points: { size: 9 },
      },
      scales,
      axes: axes(lane, streams),
      series,
      bands,
      hooks: {
        drawClear: single ? [(plot) => shadeGaps(plot, streams[lane.streams[0]!]!)] : [],
        draw: [(plot) => drawn.forEach((one) => drawMarks(plot, one.stream))],
        setSelect: [(plot) => this.selected(plot)],
        setCursor: [(plot) => this.onPoint(plot.cursor.idx == null || (plot.cursor.left ?? -1) < 0 ? null : plot.data[0][plot.cursor.idx]!)],
      },
    };
    return new uPlot(options, data, box);
  }

  private spanned(): uPlot.Range.Function {
    const { from, to } = this.answer;
    let first = true;
    return (_plot, min, max) => {
      if (!first) return [min, max];
      first = false;
      return [from, to];
    };
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 6) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.onSelect?.(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
  }
}

/** Which colour the stream at this place has, as the stylesheet says; an earlier span has that of the later one. */
function strokeOf(streams: Stream[], place: number): string {
  const own = streams.findIndex((stream) => stream.id === streams[place]!.id);
  return colour(`al-series-${((own < 0 ? place : own) % COLOURS) + 1}`);
}

/** Where a value is drawn: a mean in the middle of its bucket. */
export function drawnAt(stream: Stream, place: number): number {
  return stream.t[place]! + (stream.width && !isStepped(stream) ? stream.width / 2 : 0) + (stream.shift ?? 0);
}

function lanes(streams: Stream[]): Lane[] {
  const found: Lane[] = [];
  streams.forEach((stream, at) => {
    if (stream.kind === 'text' || stream.kind === 'other' || stream.t.length === 0) return;
    const key = keyOf(stream);
    const known = found.find((lane) => lane.keys.includes(key));
    const room = found.find((lane) => lane.keys.length < 2 && !lane.keys[0]!.startsWith('of '));
    if (known) known.streams.push(at);
    else if (room && stream.kind !== 'category') {
      room.keys.push(key);
      room.streams.push(at);
    } else found.push({ keys: [key], streams: [at] });
  });
  return found;
}

/** The scale that a stream is drawn by. */
function keyOf(stream: Stream): string {
  if (stream.kind === 'category') return `of ${stream.id}`;
  return stream.kind === 'boolean' ? 'share' : `in ${stream.unit}`;
}

function isStepped(stream: Stream): boolean {
  return stream.kind === 'category' || (stream.method === 'held' && !stream.width);
}

function isBanded(stream: Stream): boolean {
  return stream.width > 0 && stream.kind === 'number';
}

function isDoubtful(stream: Stream, place: number): boolean {
  return !stream.width && Boolean(stream.flagged?.[place]);
}

function columns(stream: Stream): uPlot.AlignedData {
  const x = stream.t.map((_, at) => drawnAt(stream, at));
  if (stream.kind === 'category') {
    const order = stream.categories ?? [];
    return [x, (stream.words ?? []).map((word) => (word === null ? null : order.indexOf(word)))] as uPlot.AlignedData;
  }
  const factor = stream.kind === 'boolean' ? 100 : 1;
  // An implausible value is a ring of its own: a line through it would be believed.
  const mean = stream.mean.map((value, at) => (value === null ? null : isDoubtful(stream, at) ? undefined : value * factor));
  return (isBanded(stream) ? [x, mean, stream.low, stream.high] : [x, mean]) as uPlot.AlignedData;
}

function axes(lane: Lane, streams: Stream[]): uPlot.Axis[] {
  const words = colour('al-map-words');
  const grid = { stroke: colour('al-line'), width: 1 };
  const found: uPlot.Axis[] = [
    {
      stroke: words,
      font: FONT,
      grid,
      ticks: grid,
      space: 72,
      values: (_plot, splits, _axis, _space, step) => splits.map((split) => sayTick(split, step)),
    },
  ];
  lane.keys.forEach((key, at) => {
    const stream = streams.find((one) => keyOf(one) === key)!;
    const own = lane.keys.length > 1 ? strokeOf(streams, streams.indexOf(stream)) : words;
    const axis: uPlot.Axis = { scale: key, side: at ? 1 : 3, stroke: own, font: FONT, grid: at ? { show: false } : grid, ticks: { show: false }, space: 40 };
    if (stream.kind === 'category') {
      const names = stream.categories ?? [];
      axis.splits = () => names.map((_, place) => place);
      axis.values = (_plot, splits) => splits.map((split) => shorten(names[split] ?? ''));
      axis.size = 110;
    } else {
      axis.values = (_plot, splits) => splits.map((split) => sayValue(split));
      axis.size = 62;
      axis.label = stream.unitText;
      axis.labelFont = FONT;
      axis.labelSize = stream.unitText ? 22 : 0;
      axis.labelGap = 0;
    }
    found.push(axis);
  });
  return found;
}

function rangeOf(drawn: { stream: Stream }[]): uPlot.Range.Function {
  const names = drawn[0]?.stream.kind === 'category' ? (drawn[0].stream.categories ?? []).length : 0;
  if (names) return () => [-0.5, names - 0.5];
  if (drawn[0]?.stream.kind === 'boolean') return () => [-4, 104];
  const limit = Math.max(...drawn.map((one) => one.stream.limit ?? -Infinity));
  return (_plot, min, max) => {
    if (min == null || max == null) return [0, limit > 0 ? limit * 1.06 : 1];
    const top = Math.max(max, limit);
    // Near zero the axis begins there; else a change would look larger than it is.
    const bottom = min >= 0 && min < 0.4 * top ? 0 : min;
    const room = (top - bottom || Math.abs(top) || 1) * 0.06;
    return [bottom === 0 ? 0 : bottom - room, top + room];
  };
}

/** Points where there are few, and where one stands alone between gaps. */
function dots(plot: uPlot, at: number, stream: Stream): number[] | null {
  const values = plot.data[at]!;
  const [first, last] = plot.series[0]!.idxs ?? [0, values.length - 1];
  if (stream.method === 'values' && last - first <= DOTTED) return null;
  const alone: number[] = [];
  let before: number | null | undefined = null;
  for (let place = first; place <= last; place++) {
    const value = values[place];
    if (value === undefined) continue;
    if (value !== null && before === null) {
      let next = place + 1;
      while (next <= last && values[next] === undefined) next++;
      if (next > last || values[next] === null) alone.push(place);
    }
    before = value;
  }
  return alone;
}

/** A shade where there is no data, so that a gap is not taken for a pause of the line. */
function shadeGaps(plot: uPlot, stream: Stream): void {
  const { ctx, bbox } = plot;
  const values = stream.kind === 'category' ? (stream.words ?? []) : stream.mean;
  ctx.save();
  ctx.fillStyle = colour('al-ground');
  for (let at = 0; at < values.length; at++) {
    if (values[at] !== null) continue;
    const start = stream.t[at]!;
    while (values[at + 1] === null) at++;
    const end = stream.width ? stream.t[at]! + stream.width : (stream.t[at + 1] ?? stream.t[at]!);
    const from = Math.max(bbox.left, plot.valToPos(start, 'x', true));
    const to = Math.min(bbox.left + bbox.width, plot.valToPos(end, 'x', true));
    if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
  }
  ctx.restore();
}

/** A ring around each implausible value, within the frame; a dashed line where a limit is. */
function drawMarks(plot: uPlot, stream: Stream): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const factor = stream.kind === 'boolean' ? 100 : 1;
  ctx.save();
  ctx.lineWidth = 2 * scale;
  ctx.strokeStyle = colour('al-few');
  stream.t.forEach((_, at) => {
    const value = stream.mean[at];
    if (!stream.flagged?.[at] || value == null) return;
    const x = plot.valToPos(drawnAt(stream, at), 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    const y = Math.max(bbox.top + 6 * scale, Math.min(bbox.top + bbox.height - 6 * scale, plot.valToPos(value * factor, keyOf(stream), true)));
    ctx.beginPath();
    ctx.arc(x, y, 5 * scale, 0, 2 * Math.PI);
    ctx.stroke();
  });
  if (stream.limit != null) {
    const y = plot.valToPos(stream.limit, keyOf(stream), true);
    ctx.strokeStyle = colour('al-map-words');
    ctx.lineWidth = 1.5 * scale;
    ctx.setLineDash([6 * scale, 5 * scale]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

function shorten(text: string): string {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
