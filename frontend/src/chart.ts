/** A chart of free spaces: the mean as a line, lowest to highest as a band, gaps as gaps, the capacity as the top. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, language, onTheme, say, sayNumber, zone } from './page';

interface Columns {
  capacity: number | null;
  width: number;
  t: number[];
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  implausible: boolean[];
}

const DAY = 86_400;
const RELOAD = 300_000;

/** Fill a panel: fetch its values, draw them, and let the reader choose between chart and table. */
export async function showChart(panel: HTMLElement): Promise<void> {
  const place = panel.querySelector<HTMLElement>('.chart')!;
  offerTable(panel);
  try {
    let columns = await load(panel);
    let loaded = Date.now();
    await document.fonts.ready;
    let plot = draw(place, columns, panel.dataset.span === 'week');
    const redraw = () => {
      plot.destroy();
      plot = draw(place, columns, panel.dataset.span === 'week');
    };
    onTheme(redraw);
    // The page's live part tells when it has fetched anew; a chart need not follow every time.
    document.addEventListener('allmende:board', () => {
      if (Date.now() - loaded < RELOAD || place.clientWidth === 0) return;
      loaded = Date.now();
      void load(panel).then((fresh) => {
        columns = fresh;
        redraw();
      });
    });
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === width || place.clientWidth === 0) return;
      width = place.clientWidth;
      plot.setSize({ width, height: place.clientHeight });
    }).observe(place);
  } catch {
    place.removeAttribute('role');
    place.textContent = say('failed');
  }
}

async function load(panel: HTMLElement): Promise<Columns> {
  const response = await fetch(panel.dataset.chart!);
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as Columns;
}

function offerTable(panel: HTMLElement): void {
  const choice = panel.querySelector<HTMLElement>('.choice')!;
  const buttons = choice.querySelectorAll<HTMLButtonElement>('button');
  for (const button of buttons) {
    button.addEventListener('click', () => {
      for (const one of buttons) one.setAttribute('aria-pressed', String(one === button));
      const table = button.dataset.show === 'table';
      panel.querySelector('[data-view="table"]')!.classList.toggle('is-shown', table);
      for (const part of panel.querySelectorAll('[data-view="chart"]')) part.classList.toggle('is-hidden', table);
    });
  }
  choice.hidden = false;
}

function formats(week: boolean): { axis: Intl.DateTimeFormat; tip: Intl.DateTimeFormat } {
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', timeZone: zone };
  return {
    axis: new Intl.DateTimeFormat(language, week ? { weekday: 'short', timeZone: zone } : time),
    tip: new Intl.DateTimeFormat(language, week ? { weekday: 'short', ...time } : time),
  };
}

function draw(place: HTMLElement, columns: Columns, week: boolean): uPlot {
  const format = formats(week);
  const half = columns.width / 2;
  const x = columns.t.map((start) => start + half);
  const line = colour('al-free');
  const words = colour('al-map-words');
  const grid = { stroke: colour('al-line'), width: 1 };
  const font = "14px 'Fira Sans', sans-serif";
  const top = Math.max(columns.capacity ?? 0, ...columns.high.map((value) => value ?? 0), 1);
  const tip = document.createElement('div');
  tip.className = 'chart-tip';
  tip.hidden = true;
  const options: uPlot.Options = {
    width: place.clientWidth,
    height: place.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 9, fill: line } },
    scales: {
      x: { time: true, range: () => [columns.t[0]!, columns.t[columns.t.length - 1]! + columns.width] },
      y: { range: () => [0, top * 1.06] },
    },
    axes: [
      {
        stroke: words,
        font,
        grid: week ? grid : { show: false },
        ticks: grid,
        space: week ? 30 : 64,
        ...(week ? { incrs: [DAY] } : { incrs: [3 * 3600, 6 * 3600, 12 * 3600, DAY] }),
        values: (_plot, splits) => splits.map((split) => format.axis.format(split * 1000)),
      },
      {
        stroke: words,
        font,
        grid,
        ticks: { show: false },
        size: 52,
        space: 44,
        values: (_plot, splits) => splits.map((split) => sayNumber(split)),
      },
    ],
    series: [
      {},
      { stroke: line, width: 2.5, spanGaps: false, points: { show: false } },
      { stroke: 'transparent', spanGaps: false, points: { show: false } },
      { stroke: 'transparent', spanGaps: false, points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: withAlpha(line, 0.22) }],
    hooks: {
      drawClear: [(plot) => drawGaps(plot, columns)],
      draw: [(plot) => drawExtras(plot, columns, x)],
      setCursor: [(plot) => showTip(plot, columns, x, tip, format.tip)],
      ready: [(plot) => plot.over.append(tip)],
    },
  };
  place.replaceChildren();
  return new uPlot(options, [x, columns.mean, columns.low, columns.high] as uPlot.AlignedData, place);
}

/** A shade where there is no data, so that a gap is not taken for a pause of the line. */
function drawGaps(plot: uPlot, columns: Columns): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour('al-ground');
  columns.mean.forEach((value, index) => {
    if (value !== null) return;
    const from = plot.valToPos(columns.t[index]!, 'x', true);
    const to = plot.valToPos(columns.t[index]! + columns.width, 'x', true);
    ctx.fillRect(from, bbox.top, Math.ceil(to - from), bbox.height);
  });
  ctx.restore();
}

/** The capacity as a dashed line, a ring around each doubtful value. */
function drawExtras(plot: uPlot, columns: Columns, x: number[]): void {
  const { ctx } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  if (columns.capacity) {
    const y = plot.valToPos(columns.capacity, 'y', true);
    ctx.strokeStyle = colour('al-map-words');
    ctx.lineWidth = 1.5 * scale;
    ctx.setLineDash([6 * scale, 5 * scale]);
    ctx.beginPath();
    ctx.moveTo(plot.bbox.left, y);
    ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  ctx.strokeStyle = colour('al-few');
  ctx.lineWidth = 2 * scale;
  columns.implausible.forEach((doubtful, index) => {
    const value = columns.mean[index];
    if (!doubtful || value == null) return;
    ctx.beginPath();
    ctx.arc(plot.valToPos(x[index]!, 'x', true), plot.valToPos(value, 'y', true), 5 * scale, 0, 2 * Math.PI);
    ctx.stroke();
  });
  ctx.restore();
}

function showTip(plot: uPlot, columns: Columns, x: number[], tip: HTMLElement, format: Intl.DateTimeFormat): void {
  const index = plot.cursor.idx;
  const left = plot.cursor.left ?? -1;
  if (index == null || left < 0) {
    tip.hidden = true;
    return;
  }
  const mean = columns.mean[index];
  const value = mean == null ? say('none') : sayNumber(mean);
  const doubt = columns.implausible[index] ? ` (${say('implausible')})` : '';
  tip.textContent = `${format.format(columns.t[index]! * 1000)}: ${value}${doubt}`;
  tip.hidden = false;
  const at = plot.valToPos(x[index]!, 'x');
  const room = plot.over.clientWidth - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(room, at - tip.offsetWidth / 2))}px`;
  tip.style.top = '0px';
}

/** A CSS colour with an opacity, as canvases take it. */
function withAlpha(value: string, alpha: number): string {
  return `color-mix(in srgb, ${value} ${alpha * 100}%, transparent)`;
}
