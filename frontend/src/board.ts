/**
 * Dashboards that stay open: new values come without a reload, and only tiles that changed are replaced. A wall screen
 * also takes turns between boards; it begins anew once a night, so that nothing can pile up in it over weeks.
 */
import { refreshAges } from './ages';
import { language, zone } from './page';

const DAY = 86_400_000;
const NIGHT = 3;

/** Keep the tiles of this page fresh: an ordinary page can be paused, a wall screen shows clock and state. */
export function startBoard(board: HTMLElement): void {
  const wall = document.querySelector<HTMLElement>('[data-wall]');
  if (wall) new Wall(wall).start();
  else new Fresh(board).start();
}

/** Charts that came with new tiles are drawn; those that were there fetch their values anew. */
function drawCharts(within: HTMLElement, fresh: ReadonlySet<HTMLElement>): void {
  for (const tile of within.querySelectorAll<HTMLElement>('[data-tile]')) {
    for (const panel of tile.querySelectorAll<HTMLElement>('[data-series]')) {
      if (fresh.has(tile)) void import('./series').then(({ showSeries }) => showSeries(panel));
      else panel.dispatchEvent(new Event('allmende:reload'));
    }
  }
}

async function ask(address: string): Promise<Document> {
  const response = await fetch(address, { headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(20_000) });
  if (!response.ok) throw new Error(String(response.status));
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

/** Let the board's tiles be those of `from`: what is as before stays as it is, with its place, focus and open parts. */
function take(board: HTMLElement, from: ParentNode): void {
  const known = new Map<string, HTMLElement>();
  for (const tile of board.querySelectorAll<HTMLElement>('[data-tile]')) known.set(tile.dataset.tile!, tile);
  const wanted: HTMLElement[] = [];
  const came = new Set<HTMLElement>();
  for (const fresh of from.querySelectorAll<HTMLElement>('[data-tile]')) {
    const old = known.get(fresh.dataset.tile!);
    const busy = old?.contains(document.activeElement) || old?.querySelector('details[open]');
    const stays = old && (old.dataset.sign === fresh.dataset.sign || busy);
    const tile = stays ? old : document.importNode(fresh, true);
    if (!stays) came.add(tile);
    wanted.push(tile);
  }
  const here = [...board.children];
  if (wanted.length !== here.length) board.replaceChildren(...wanted);
  else wanted.forEach((tile, place) => tile === here[place] || here[place]!.replaceWith(tile));
  refreshAges();
  drawCharts(board, came);
}

function title(): HTMLElement {
  return document.querySelector<HTMLElement>('[data-wall-title]')!;
}

function clock(): string {
  const format = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', timeZone: zone });
  return format.format(new Date());
}

class Fresh {
  private paused = false;
  private asked = Date.now();

  constructor(private readonly board: HTMLElement) {}

  start(): void {
    const box = document.querySelector<HTMLElement>('[data-board-live]');
    const button = box?.querySelector<HTMLButtonElement>('[data-board-toggle]');
    const status = box?.querySelector<HTMLElement>('[data-board-status]');
    if (!box || !button || !status) return;
    box.hidden = false;
    const seconds = Number(this.board.dataset.seconds) || 60;
    button.addEventListener('click', () => {
      this.paused = !this.paused;
      box.classList.toggle('live--paused', this.paused);
      button.querySelector('.kern-label')!.textContent = button.dataset[this.paused ? 'resume' : 'pause']!;
      if (this.paused) status.textContent = status.dataset.paused!;
      else void this.refresh(status, box);
    });
    setInterval(() => {
      if (this.paused || document.hidden || Date.now() - this.asked < seconds * 1000) return;
      void this.refresh(status, box);
    }, 1000);
  }

  private async refresh(status: HTMLElement, box: HTMLElement): Promise<void> {
    this.asked = Date.now();
    try {
      take(this.board, await ask(this.board.dataset.board!));
      box.classList.remove('live--lost');
      status.textContent = `${status.dataset.words!} ${clock()}`;
    } catch {
      box.classList.add('live--lost');
      status.textContent = status.dataset.lost!;
    }
  }
}

/** Each board of the round keeps its own place, which is hidden while another one is shown: nothing is made twice. */
class Wall {
  private readonly places = new Map<string, { board: HTMLElement; title: string }>();
  private readonly round: string[];
  private readonly turn: number;
  private readonly seconds: number;
  private readonly began = Date.now();
  private place = 0;
  private paused = false;
  private asking = false;
  private turned = Date.now();
  private asked = Date.now();

  constructor(private readonly wall: HTMLElement) {
    this.round = (wall.dataset.round ?? '').split(' ').filter(Boolean);
    this.turn = (Number(wall.dataset.turn) || 30) * 1000;
    this.seconds = (Number(wall.dataset.seconds) || 60) * 1000;
    const board = wall.querySelector<HTMLElement>('[data-board]')!;
    this.places.set(this.round[0] ?? location.pathname, { board, title: title().textContent ?? '' });
  }

  start(): void {
    const button = document.querySelector<HTMLButtonElement>('[data-wall-pause]');
    if (button) {
      button.hidden = false;
      button.addEventListener('click', () => this.pause(button));
    }
    setInterval(() => this.tick(), 1000);
  }

  private pause(button: HTMLButtonElement): void {
    this.paused = !this.paused;
    button.querySelector('.kern-label')!.textContent = button.dataset[this.paused ? 'resume' : 'pause']!;
    this.tell(this.paused ? 'paused' : 'words');
  }

  /** Once a second: the clock; and is it time for another board, for new values, or for the nightly new beginning? */
  private tick(): void {
    const face = document.querySelector<HTMLTimeElement>('[data-wall-clock]')!;
    const now = clock();
    if (face.textContent !== now) {
      face.textContent = now;
      face.dateTime = new Date().toISOString();
    }
    if (this.paused || this.asking) return;
    const moment = Date.now();
    const hour = Number(new Intl.DateTimeFormat('en', { hour: 'numeric', hour12: false, timeZone: zone }).format(moment));
    if (moment - this.began > DAY / 2 && hour === NIGHT && navigator.onLine) void this.beginAnew();
    else if (moment - this.turned >= this.turn) void this.next();
    else if (moment - this.asked >= this.seconds) void this.refresh();
  }

  /** What did not fit on the screen comes first, then the next board. */
  private async next(): Promise<void> {
    this.turned = Date.now();
    const below = this.below();
    if (below) {
      this.wall.scrollTop += below.getBoundingClientRect().top - this.wall.getBoundingClientRect().top;
      return;
    }
    this.wall.scrollTop = 0;
    if (this.round.length < 2) return;
    this.place = (this.place + 1) % this.round.length;
    await this.refresh();
  }

  /** The first tile that is not seen whole, where there is more to come. */
  private below(): HTMLElement | undefined {
    const { bottom, top } = this.wall.getBoundingClientRect();
    if (this.wall.scrollTop + this.wall.clientHeight >= this.wall.scrollHeight - 4) return undefined;
    const tiles = this.wall.querySelectorAll<HTMLElement>('.tiles:not([hidden]) > [data-tile]');
    return [...tiles].find((tile) => {
      const place = tile.getBoundingClientRect();
      return place.bottom > bottom + 4 && place.top > top + 4;
    });
  }

  private async refresh(): Promise<void> {
    this.asking = true;
    this.asked = Date.now();
    try {
      const address = this.round[this.place]!;
      const page = await ask(address);
      const fresh = page.querySelector<HTMLElement>('[data-board]');
      if (!fresh) throw new Error('no board');
      const said = page.querySelector('[data-wall-title]')?.textContent ?? '';
      let place = this.places.get(address);
      if (!place) {
        place = { board: document.importNode(fresh, false), title: said };
        this.places.set(address, place);
        this.wall.append(place.board);
      }
      place.title = said;
      for (const each of this.places.values()) each.board.hidden = each !== place;
      title().textContent = place.title;
      document.title = page.title;
      take(place.board, fresh);
      this.tell('words');
    } catch {
      this.tell('lost'); // what is shown stays, and says from when it is
    } finally {
      this.asking = false;
    }
  }

  /** Only where the house answers: a browser's page of failure would stay on the wall. */
  private async beginAnew(): Promise<void> {
    this.asking = true;
    try {
      await ask(location.href);
      location.reload();
    } catch {
      this.asking = false;
      this.tell('lost');
    }
  }

  private told = '';

  private tell(kind: 'words' | 'lost' | 'paused'): void {
    const state = document.querySelector<HTMLElement>('[data-wall-state]')!;
    if (kind === 'words') this.told = clock();
    state.classList.toggle('is-lost', kind === 'lost');
    const since = kind === 'lost' && this.told ? ` (${state.dataset.words!} ${this.told})` : '';
    state.textContent = kind === 'words' ? `${state.dataset.words!} ${this.told}` : state.dataset[kind]! + since;
  }
}
