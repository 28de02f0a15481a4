/**
 * A panel with a chart of streams: fetched as finely as the screen is wide, and finer where somebody looks closer. What
 * is there is stretched at once; the finer values come after. Arrow keys move the reading point, plus and minus zoom.
 */
import { onTheme } from './page';
import { type Answer, drawnAt, Plots, type Stream } from './seriesPlot';
import { fillTable } from './seriesTable';
import { sayAt, sayMethod, sayMoment, tell, type Texts } from './seriesWords';

const LEAST = 0.01;
const MOST = 200 * 365 * 86_400;
const LATER = 180;
const FOLLOWED = 300_000;

/** Fill a panel. */
export function showSeries(panel: HTMLElement): void {
  const place = panel.querySelector<HTMLElement>('[data-series-plot]');
  if (place) void new Panel(panel, place).start();
}

/** What happened to the span that a panel shows; sent from the panel as `allmende:series`. */
export interface Shown {
  from: number;
  to: number;
  whole: boolean;
  /** How many points a line was asked for. */
  points: number;
}

class Panel {
  private readonly texts: Texts;
  /** Whether there are finer values to be asked for. */
  private readonly zooms: boolean;
  private readonly tip = document.createElement('div');
  private plots: Plots | null = null;
  private answer: Answer | null = null;
  private whole: { from: number; to: number } | null = null;
  private span: { from: number; to: number } | null = null;
  private asked: AbortController | null = null;
  private timer = 0;
  private at = -1;
  private moments: number[] = [];

  constructor(
    private readonly panel: HTMLElement,
    private readonly place: HTMLElement,
  ) {
    const texts = panel.querySelector('script[type="application/json"]') ?? document.getElementById('texts');
    this.texts = JSON.parse(texts?.textContent ?? '{}') as Texts;
    this.zooms = panel.querySelector('.series__tools') !== null;
    this.tip.className = 'chart-tip';
    this.tip.hidden = true;
  }

  async start(): Promise<void> {
    this.offerViews();
    this.place.addEventListener('keydown', (event) => this.key(event));
    for (const button of this.panel.querySelectorAll<HTMLButtonElement>('[data-zoom]')) {
      button.addEventListener('click', () => this.tool(button.dataset.zoom!));
    }
    const tools = this.panel.querySelector<HTMLElement>('.series__tools');
    if (tools) tools.hidden = false;
    await document.fonts.ready;
    await this.load();
    onTheme(() => this.redraw());
    let width = this.place.clientWidth;
    new ResizeObserver(() => {
      if (this.place.clientWidth === width || this.place.clientWidth === 0) return;
      width = this.place.clientWidth;
      this.plots?.resize(width);
    }).observe(this.place);
    // The page's live part tells when it has fetched anew; a chart need not follow every time.
    let loaded = Date.now();
    if (this.panel.hasAttribute('data-follows')) {
      document.addEventListener('allmende:board', () => {
        if (Date.now() - loaded < FOLLOWED || this.place.clientWidth === 0) return;
        loaded = Date.now();
        void this.load();
      });
    }
    // Whoever has a panel on a page that follows what happens asks for it anew.
    this.panel.addEventListener('allmende:reload', () => {
      if (!this.span && this.panel.clientWidth > 0) void this.load();
    });
  }

  private offerViews(): void {
    const choice = this.panel.querySelector<HTMLElement>('.choice');
    if (!choice) return;
    const buttons = choice.querySelectorAll<HTMLButtonElement>('button');
    for (const button of buttons) {
      button.addEventListener('click', () => {
        for (const one of buttons) one.setAttribute('aria-pressed', String(one === button));
        this.view(button.dataset.show === 'table');
      });
    }
    choice.hidden = false;
    this.view(this.panel.dataset.view === 'table');
    for (const one of buttons) {
      one.setAttribute('aria-pressed', String((one.dataset.show === 'table') === (this.panel.dataset.view === 'table')));
    }
  }

  private view(table: boolean): void {
    this.panel.dataset.view = table ? 'table' : 'chart';
    this.panel.querySelector('.table-box[data-view="table"]')?.classList.toggle('is-shown', table);
    for (const part of this.panel.querySelectorAll('[data-view="chart"]')) part.classList.toggle('is-hidden', table);
    if (table) this.tabulate();
    else if (this.plots) this.plots.resize(this.place.clientWidth);
    else this.redraw();
    this.panel.dispatchEvent(new CustomEvent('allmende:series-view', { bubbles: true, detail: { table } }));
  }

  /** The address of the values to be shown, as many of them as there are points on the screen. */
  private address(compared: boolean): string {
    const address = new URL(compared ? this.panel.dataset.compare! : this.panel.dataset.series!, location.href);
    if (this.span) {
      const back = compared ? this.back() : 0;
      address.searchParams.set('from', instant(this.span.from - back));
      address.searchParams.set('to', instant(this.span.to - back));
    }
    address.searchParams.set('points', String(this.points()));
    return address.href;
  }

  /** A bucket for each two points of the screen: more cannot be told apart. */
  private points(): number {
    const width = this.place.clientWidth || 800;
    return Math.min(2000, Math.max(120, Math.ceil(width / 100) * 50));
  }

  /** Seconds between what is shown and the earlier span that it is compared with. */
  private back(): number {
    return Number(this.panel.dataset.back ?? 0);
  }

  private async load(): Promise<void> {
    this.asked?.abort();
    const asked = new AbortController();
    this.asked = asked;
    try {
      const [answer, earlier] = await Promise.all([
        fetchAnswer(this.address(false), asked.signal),
        this.panel.dataset.compare ? fetchAnswer(this.address(true), asked.signal) : null,
      ]);
      if (earlier) {
        const shift = this.back() || answer.from - earlier.from;
        this.panel.dataset.back = String(shift);
        for (const stream of earlier.streams) {
          answer.streams.push({ ...stream, label: tell(this.texts, 'before', stream.label), shift });
        }
      }
      this.answer = answer;
      this.whole ??= { from: answer.from, to: answer.to };
      if (!this.span) this.whole = { from: answer.from, to: answer.to };
      this.redraw();
      this.describe();
    } catch (error) {
      if (asked.signal.aborted) return;
      if (!this.answer) {
        this.place.removeAttribute('role');
        this.place.removeAttribute('tabindex');
      }
      this.place.textContent = tell(this.texts, 'failed');
      if (!(error instanceof Error)) throw error;
    }
  }

  private redraw(): void {
    if (!this.answer) return;
    this.plots?.destroy();
    this.plots = null;
    if (this.panel.dataset.view === 'table') this.tabulate();
    if (this.place.clientWidth === 0) return; // it is drawn once it is shown
    this.plots = new Plots(
      this.place,
      this.answer,
      this.zooms ? (from, to) => this.zoom(from, to) : null,
      (time) => this.tell(time),
    );
    this.place.append(this.tip);
    const moments = new Set<number>();
    for (const stream of this.answer.streams) {
      stream.t.forEach((_, at) => {
        const time = drawnAt(stream, at);
        if (has(stream, at) && time >= this.answer!.from && time <= this.answer!.to) moments.add(time);
      });
    }
    this.moments = [...moments].sort((a, b) => a - b);
    this.at = -1;
    this.place.setAttribute('aria-valuemax', String(Math.max(0, this.moments.length - 1)));
    this.place.setAttribute('aria-valuetext', this.moments.length ? this.range() : tell(this.texts, 'nothing'));
    this.place.classList.toggle('series__plot--empty', this.plots.empty);
    if (this.plots.empty) this.place.textContent = tell(this.texts, 'nothing');
  }

  private range(): string {
    const step = (this.answer!.to - this.answer!.from) / 200;
    return `${sayMoment(this.answer!.from, Math.min(step, 3600))} – ${sayMoment(this.answer!.to, Math.min(step, 3600))}`;
  }

  /** The words beside the chart, and one polite line: of what is shown now, not of each value. */
  private describe(): void {
    const answer = this.answer!;
    const words = this.panel.querySelector('[data-series-words]');
    if (words && this.span) words.textContent = this.range();
    const lines = this.panel.querySelectorAll('[data-series-method]');
    answer.streams.forEach((stream, at) => {
      const line = lines[at];
      if (line && stream.kind !== 'text' && stream.kind !== 'other') {
        line.textContent = tell(this.texts, 'shown', sayMethod(this.texts, stream));
      }
    });
    const said = this.panel.querySelector('[data-series-said]');
    const first = answer.streams[0];
    if (said && this.span && first) said.textContent = `${this.range()}, ${sayMethod(this.texts, first)}`;
    const link = this.panel.querySelector<HTMLAnchorElement>('[data-series-explore]');
    if (link) {
      const address = new URL(link.href);
      if (this.span) {
        address.searchParams.set('from', instant(this.span.from));
        address.searchParams.set('to', instant(this.span.to));
      }
      link.href = address.href;
    }
    const detail: Shown = { from: answer.from, to: answer.to, whole: !this.span, points: this.points() };
    this.panel.dispatchEvent(new CustomEvent('allmende:series', { bubbles: true, detail }));
  }

  private tabulate(): void {
    const box = this.panel.querySelector<HTMLElement>('.table-box:not([data-whole])');
    if (box && this.answer) fillTable(box, this.answer, this.texts);
  }

  // --- zoom ---

  private zoom(from: number, to: number): void {
    const length = Math.max(LEAST, Math.min(MOST, to - from));
    const middle = (from + to) / 2;
    this.span = { from: middle - length / 2, to: middle + length / 2 };
    this.plots?.show(this.span.from, this.span.to);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), LATER);
  }

  private tool(name: string): void {
    if (name === 'whole') {
      this.span = null;
      void this.load().then(() => {
        const words = this.panel.querySelector('[data-series-words]');
        if (words && this.answer) words.textContent = this.range();
      });
      return;
    }
    const shown = this.span ?? this.whole;
    if (!shown) return;
    const length = shown.to - shown.from;
    const middle = this.moments[this.at] ?? (shown.from + shown.to) / 2;
    if (name === 'in') this.zoom(middle - length / 4, middle + length / 4);
    if (name === 'out') this.zoom(middle - length, middle + length);
    if (name === 'earlier') this.zoom(shown.from - length / 2, shown.to - length / 2);
    if (name === 'later') this.zoom(shown.from + length / 2, shown.to + length / 2);
  }

  // --- the reading point ---

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.moments.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: this.at + 1,
      ArrowUp: this.at + 1,
      ArrowLeft: (this.at < 0 ? last + 1 : this.at) - 1,
      ArrowDown: (this.at < 0 ? last + 1 : this.at) - 1,
      PageUp: this.at + 10,
      PageDown: (this.at < 0 ? last + 1 : this.at) - 10,
      Home: 0,
      End: last,
    };
    const tools: Record<string, string> = { '+': 'in', '-': 'out', Escape: 'whole' };
    const step = steps[event.key];
    if (step !== undefined && last >= 0) {
      this.at = Math.max(0, Math.min(last, step));
      this.plots?.point(this.moments[this.at]!);
      this.place.setAttribute('aria-valuenow', String(this.at));
      this.place.setAttribute('aria-valuetext', this.tip.textContent || '');
    } else if (this.zooms && tools[event.key]) this.tool(tools[event.key]!);
    else return;
    event.preventDefault();
  }

  /** The values at a time, beside the pointer or the reading point. */
  private tell(time: number | null): void {
    const answer = this.answer;
    if (time === null || !answer) {
      this.tip.hidden = true;
      return;
    }
    const rows = answer.streams.flatMap((stream, at) => {
      const near = nearest(stream, time);
      return near < 0 ? [] : [{ at, stream, near }];
    });
    const step = Math.min(...rows.map((row) => row.stream.width || 1), answer.to - answer.from);
    const head = document.createElement('strong');
    const first = rows[0];
    head.textContent = sayMoment(first ? first.stream.t[first.near]! + (first.stream.shift ?? 0) : time, step);
    this.tip.replaceChildren(head);
    for (const { at, stream, near } of rows) {
      const row = document.createElement('span');
      row.className = `series__line--${(at % 12) + 1}`;
      row.textContent = `${answer.streams.length > 1 ? `${stream.label}: ` : ''}${sayAt(stream, near, this.texts)}`;
      this.tip.append(document.createTextNode(' '), row);
    }
    this.tip.hidden = false;
    const share = (time - answer.from) / (answer.to - answer.from);
    const room = this.place.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(room, share * this.place.clientWidth - this.tip.offsetWidth / 2))}px`;
    this.tip.style.top = '0px';
  }
}

function has(stream: Stream, at: number): boolean {
  return stream.kind === 'category' ? stream.words?.[at] != null : stream.mean[at] != null;
}

/** The place of the value that stands at a time, or -1 where the stream has none about there. */
function nearest(stream: Stream, time: number): number {
  let low = 0;
  let high = stream.t.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (drawnAt(stream, middle) <= time) low = middle;
    else high = middle - 1;
  }
  const next = low + 1;
  const closer = next < stream.t.length && drawnAt(stream, next) - time < Math.abs(time - drawnAt(stream, low));
  return closer && stream.method !== 'held' ? next : low;
}

async function fetchAnswer(address: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(String(response.status));
  const said = (await response.json()) as Answer | Columns;
  return 'streams' in said ? said : asAnswer(said);
}

/** A service's own history of one thing. */
interface Columns {
  id: string;
  name: string;
  capacity: number | null;
  width: number;
  t: number[];
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  implausible: boolean[];
}

function asAnswer(said: Columns): Answer {
  const { id, name, width, t, mean, low, high } = said;
  const last = t[t.length - 1] ?? 0;
  const stream: Stream = {
    ...{ id, name, label: name, unit: '', unitText: '', kind: 'number', method: 'held', width, t, mean, low, high },
    ...{ simulated: false, forecast: false, count: [], limit: said.capacity },
    flagged: said.implausible.map(Number),
  };
  return { from: t[0] ?? 0, to: last + width, width, streams: [stream] };
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
