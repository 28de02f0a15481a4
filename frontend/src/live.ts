/**
 * Live values: readings over MQTT as they arrive, and the whole list again from the server from time to time, since
 * the server alone knows trends and what counts as "no data". Without a broker the list is fetched every 30 seconds.
 */
import htmx from 'htmx.org';
import { refreshAges } from './ages';
import { isPaused, setPaused } from './calm';
import { learnClock, say, sayNumber, sayTime, serverNow } from './page';

const POLL = 30_000;
const POLL_CONNECTED = 60_000;
const SETTLE = 10_000;

interface Reading {
  phenomenonTime?: string;
  result?: unknown;
}

/** Start live values for the board on this page; `box` holds the status line and the button. */
export function startLive(box: HTMLElement): void {
  new Live(box).start();
}

class Live {
  private paused = isPaused();
  private connected = false;
  private asked = Date.now();
  private due = 0;
  private stop: (() => void) | null = null;
  private readonly status: HTMLElement;
  private readonly button: HTMLButtonElement;

  constructor(private readonly box: HTMLElement) {
    this.status = box.querySelector('[data-live-status]')!;
    this.button = box.querySelector('[data-live-toggle]')!;
  }

  start(): void {
    this.box.hidden = false;
    this.button.addEventListener('click', () => this.toggle());
    document.addEventListener('visibilitychange', () => this.tick());
    const board = document.getElementById('board')!;
    board.addEventListener('htmx:after:swap', () => this.arrived());
    board.addEventListener('htmx:error', () => this.lost());
    board.addEventListener('htmx:response:error', () => this.lost());
    setInterval(() => this.tick(), 1000);
    if (this.paused) {
      this.show();
      return;
    }
    if (!learnClock(false)) this.ask();
    void this.listen();
  }

  private toggle(): void {
    this.paused = !this.paused;
    setPaused(this.paused); // for the next page, too
    this.show();
    if (this.paused) {
      this.stop?.();
    } else {
      this.ask();
      void this.listen();
    }
  }

  private show(): void {
    this.box.classList.toggle('live--paused', this.paused);
    this.button.querySelector('.kern-label')!.textContent = say(this.paused ? 'resume' : 'pause');
    if (this.paused) this.tell(say('paused'));
  }

  /** Once a second: is it time to ask the server again? Never while nobody looks. */
  private tick(): void {
    if (this.paused || document.hidden) return;
    const now = Date.now();
    const patience = this.connected ? POLL_CONNECTED : POLL;
    if (now - this.asked >= patience || (this.due && now >= this.due)) this.ask();
  }

  private ask(): void {
    this.asked = Date.now();
    this.due = 0;
    htmx.trigger('#board', 'refresh');
  }

  private arrived(): void {
    learnClock(true);
    refreshAges();
    this.box.classList.remove('live--lost');
    this.told();
    document.dispatchEvent(new Event('allmende:board'));
  }

  private lost(): void {
    this.box.classList.add('live--lost');
    this.tell(say('lost'));
  }

  /** One polite line, changed at most once a minute: not every reading is read out. */
  private told(): void {
    this.tell(say('updated', sayTime(new Date(serverNow()))));
  }

  private tell(words: string): void {
    if (this.status.textContent !== words) this.status.textContent = words;
  }

  private async listen(): Promise<void> {
    const url = document.body.dataset.liveUrl;
    if (!url) return;
    const { default: mqtt } = await import('mqtt');
    const client = mqtt.connect(url, {
      clientId: `page-${Math.random().toString(36).slice(2, 12)}`,
      connectTimeout: 8_000,
      reconnectPeriod: 20_000,
      timerVariant: 'native', // its own timers would start a worker from a blob, which our policy forbids
    });
    client.on('connect', () => {
      const topics = [...document.querySelectorAll<HTMLElement>('[data-topic]')].map((card) => card.dataset.topic!);
      client.subscribe(topics, { qos: 0 }, (error) => {
        this.connected = !error;
      });
    });
    client.on('close', () => {
      this.connected = false;
    });
    client.on('error', () => {
      this.connected = false;
    });
    client.on('message', (topic, payload) => this.take(topic, payload.toString()));
    this.stop = () => {
      this.connected = false;
      client.end(true);
    };
  }

  private take(topic: string, payload: string): void {
    const card = document.querySelector<HTMLElement>(`[data-topic="${CSS.escape(topic)}"]`);
    if (!card) return;
    let reading: Reading;
    try {
      reading = JSON.parse(payload) as Reading;
    } catch {
      return;
    }
    this.due ||= Date.now() + SETTLE;
    if (typeof reading.result !== 'number' || !reading.phenomenonTime) return;
    const moment = Date.parse(reading.phenomenonTime.split('/')[0]!);
    const age = card.querySelector<HTMLTimeElement>('time[data-age]');
    // A late or repeated reading must not turn the list back.
    if (Number.isNaN(moment) || !age || Date.parse(age.dateTime) > moment) return;
    age.dateTime = new Date(moment).toISOString();
    refreshAges();
    showFree(card, reading.result);
    this.told();
  }
}

function showFree(card: HTMLElement, free: number): void {
  const number = card.querySelector<HTMLElement>('[data-free]');
  if (!number) return; // it had no value: the list from the server will bring it with all its words
  const words = sayNumber(free);
  if (number.textContent === words) return;
  number.textContent = words;
  number.classList.remove('park__number--new');
  void number.offsetWidth; // lets the animation begin anew
  number.classList.add('park__number--new');
  const capacity = Number(card.dataset.capacity);
  if (capacity > 0) {
    const share = Math.max(0, Math.min(100, (100 * free) / capacity));
    card.querySelector('[data-bar]')?.setAttribute('width', `${share.toFixed(1)}%`);
  }
  document.dispatchEvent(new CustomEvent('allmende:reading', { detail: { id: card.dataset.park, free } }));
}
