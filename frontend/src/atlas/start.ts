/**
 * The map of the city. Layers, time, district and place are fields of one form, which without script leads to the list;
 * here they draw the map, and the address always says what is seen.
 */
import { fail } from '../cityFail';
import { refreshAges } from '../ages';
import { onTheme, say, sayNumber } from '../page';
import type { Canvas, Seen } from './canvas';
import { ask, take, type Things, type Values } from './data';
import { hideLegend, isOn, offerOrder, readLayers, showLegend, showSign, shown, type Layer } from './layers';
import { offerSearch, type Hit } from './search';
import { offerCopies, offerPrint, showAddress } from './share';
import { offerTime } from './time';

const LISTED = 40; // things of the view that can be reached by keyboard
const RENEW = 60_000;
const NEAR = 16; // zoom at which a place that was sought is shown

/** Make the page's map work. */
export function startAtlas(root: HTMLElement): void {
  const place = root.querySelector<HTMLElement>('[data-atlas-map]')!;
  const form = root.querySelector<HTMLFormElement>('[data-atlas-form]')!;
  const near = form.querySelector<HTMLInputElement>('[data-atlas-near]')!;
  const note = root.querySelector<HTMLElement>('[data-atlas-note]')!;
  const district = () => new FormData(form).get('district')?.toString() ?? '';
  const first = new URLSearchParams(location.search);
  const layers = () => readLayers(root).map((one) => ({ ...one, mark: marks.get(one.id) ?? 0 }));
  const marks = new Map(readLayers(root).map((one) => [one.id, one.mark]));
  const things = new Map<string, Things>();
  let selected = first.get('selected') ?? '';
  let canvas: Canvas | null = null;
  let asking = new AbortController();

  const on = () => layers().filter(isOn);
  const question = (layer: Layer) => {
    const params = new URLSearchParams({ layer: layer.id });
    const value = shown(layer);
    if (value) params.set(`show:${layer.id}`, value);
    const at = clock.at();
    if (at !== null) params.set('at', new Date(at).toISOString());
    if (district()) params.set('district', district());
    if (things.get(layer.id)?.capped && canvas) params.set('bbox', canvas.box());
    return params;
  };
  const query = () => {
    const params = new URLSearchParams();
    const seen = on();
    for (const layer of seen) params.append('layer', layer.id);
    if (seen.length === 0) params.append('layer', '');
    for (const layer of seen) {
      const field = layer.element.querySelector<HTMLSelectElement>('select');
      if (field ? field.selectedIndex > 0 : shown(layer)) params.set(`show:${layer.id}`, shown(layer));
    }
    const at = clock.at();
    if (at !== null) params.set('at', new Date(at).toISOString().replace('.000', ''));
    if (district()) params.set('district', district());
    if (near.value) {
      params.set('q', new FormData(form).get('q')?.toString() ?? '');
      params.set('near', near.value);
      const radius = new FormData(form).get('radius');
      if (radius && radius !== '500') params.set('radius', radius.toString());
    }
    if (canvas) params.set('pos', canvas.position());
    if (selected) params.set('selected', selected);
    return `?${params.toString().replace(/%3A/g, ':').replace(/%2F/g, '/').replace(/%2C/g, ',')}`;
  };
  const told = () => {
    const now = query();
    history.replaceState(null, '', now);
    showAddress(root, now);
  };
  const say_ = (words: string) => {
    if (note.textContent !== words) note.textContent = words;
  };

  const fetchThings = async (layer: Layer) => {
    const answer = await ask<Things>(root.dataset.things!, question(layer), asking.signal);
    if (answer) things.set(layer.id, answer);
  };
  /** Ask for all that is on, and draw it. */
  const show = async () => {
    asking.abort();
    asking = new AbortController();
    const seen = on();
    try {
      await Promise.all(seen.filter((layer) => layer.kind === 'things').map(fetchThings));
      say_([...things.values()].some((one) => one.capped) ? say('capped') : '');
    } catch (error) {
      console.warn('map', error);
      say_(say('lost'));
    }
    for (const layer of layers()) legend(layer);
    canvas?.lay(seen, things);
    told();
    listView();
  };
  const legend = (layer: Layer) => {
    const known = things.get(layer.id);
    if (!isOn(layer)) hideLegend(layer);
    else if (layer.kind !== 'things') showSign(layer, clock.at() !== null);
    else if (known) showLegend(layer, known.scale);
  };
  /** Only the values of another time: places stay as they are. */
  const showTime = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const seen = on().filter((layer) => layer.kind === 'things' && things.has(layer.id));
    try {
      await Promise.all(
        seen.map(async (layer) => {
          const then = await ask<Values>(root.dataset.values!, question(layer), signal);
          if (!then) return;
          take(things.get(layer.id)!, then);
          canvas?.refresh(layer, things.get(layer.id)!);
        }),
      );
    } catch (error) {
      console.warn('map', error);
      say_(say('lost'));
    }
    if (signal.aborted) return;
    for (const layer of on()) legend(layer);
    told();
    listView();
    if (selected) void showThing(false);
    if (district()) void showFigures();
  };
  const clock = offerTime(root, root.dataset.at ? Date.parse(root.dataset.at) : null, showTime);

  const panel = root.querySelector<HTMLElement>('[data-atlas-thing]')!;
  let back: HTMLElement | null = null;
  const leave = () => {
    selected = '';
    panel.hidden = true;
    canvas?.point(null);
    told();
    if (back?.isConnected) back.focus();
    back = null;
  };
  const part = async (url: string, params: URLSearchParams) => {
    const response = await fetch(`${url}?${params}`);
    return response.ok ? await response.text() : null;
  };
  /** The details of what is selected, as the server tells them. */
  const showThing = async (focus: boolean) => {
    const [layer, ...rest] = selected.split('|');
    const params = new URLSearchParams({ layer: layer!, id: rest.join('|'), part: '1' });
    const at = clock.at();
    if (at !== null) params.set('at', new Date(at).toISOString());
    const html = await part(root.dataset.thing!, params);
    if (html === null || !selected.startsWith(`${layer}|`)) return;
    panel.innerHTML = html; // of our own server, which escapes what others wrote
    const close = document.createElement('button');
    close.type = 'button';
    close.className = 'kern-btn kern-btn--tertiary';
    close.innerHTML = '<span class="kern-label"></span>';
    close.firstElementChild!.textContent = say('close');
    close.addEventListener('click', leave);
    panel.append(close);
    panel.hidden = false;
    refreshAges();
    if (focus) panel.querySelector<HTMLElement>('#thing-title')?.focus();
  };
  panel.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leave();
  });
  const select = (seen: Seen, from: HTMLElement | null) => {
    selected = `${seen.layer}|${seen.id}`;
    back = from;
    told();
    void showThing(from !== null);
  };
  const showFigures = async () => {
    const target = root.querySelector<HTMLElement>('[data-atlas-district]');
    if (!target) return;
    const params = new URLSearchParams(query().slice(1));
    target.innerHTML = district() ? ((await part(root.dataset.figures!, params)) ?? '') : '';
  };

  /** What lies in view as buttons: the map's signs for the keyboard and for screen readers. */
  const view = root.querySelector<HTMLElement>('[data-atlas-view]');
  const listView = () => {
    if (!view || !canvas) return;
    const { all, first: listed } = canvas.seen(LISTED);
    view.hidden = false;
    const words = all ? say('things', sayNumber(all)) : say('nothing');
    view.querySelector('[data-atlas-count]')!.textContent = words;
    const list = view.querySelector('[data-atlas-things]')!;
    if (list.contains(document.activeElement)) return; // it is not taken from under somebody's fingers
    list.replaceChildren(
      ...listed.map((seen) => {
        const item = document.createElement('li');
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = seen.text ? `${seen.name}: ${seen.text}` : seen.name;
        button.addEventListener('focus', () => canvas?.point(seen));
        button.addEventListener('click', () => select(seen, button));
        item.append(button);
        return item;
      }),
    );
  };

  const goTo = (hit: Hit) => {
    const field = root.querySelector<HTMLSelectElement>('#district');
    if (hit.kind === 'district' && field) {
      field.value = hit.id;
      near.value = '';
      field.dispatchEvent(new Event('change', { bubbles: true }));
      return;
    }
    near.value = `${hit.lon},${hit.lat}`;
    canvas?.mark(hit.lon, hit.lat);
    canvas?.goTo(hit.lon, hit.lat, NEAR);
    if (hit.kind === 'thing') {
      const layer = layers().find((one) => hit.id.startsWith(`${one.id}|`));
      const box = layer?.element.querySelector<HTMLInputElement>('input[type=checkbox]');
      if (box && !box.checked) {
        box.checked = true;
        void show();
      }
      selected = hit.id;
      void showThing(false);
    }
    told();
  };
  offerSearch(root, goTo);
  form.addEventListener('submit', (event) => {
    const text = new FormData(form).get('q')?.toString().trim();
    if (!text || near.value) return; // the list shows it
    event.preventDefault();
    void ask<{ found: Hit[] }>(root.dataset.suggest!, new URLSearchParams({ q: text })).then((answer) => {
      const hit = answer?.found[0];
      if (hit) goTo(hit);
      else say_(say('noSuggestion'));
    });
  });
  form.querySelector('[data-atlas-q]')?.addEventListener('input', () => {
    near.value = '';
    canvas?.mark(NaN, NaN);
  });
  root.addEventListener('change', (event) => {
    const { name } = event.target as HTMLInputElement;
    if (name === 'layer' || name?.startsWith('show:')) void show().then(showFigures);
    if (name === 'radius') told();
    if (name === 'district') {
      canvas?.district(district());
      void show().then(showFigures);
    }
  });
  offerOrder(root, () => {
    canvas?.lay(on(), things);
    told();
  });
  offerCopies(root);
  offerPrint(root, () => canvas?.drawn() ?? Promise.resolve());
  onTheme(() => layers().forEach(legend));

  const open = async () => {
    say_(say('loading'));
    try {
      const { openCanvas } = await import('./canvas');
      const position = first.get('pos')?.split('/').map(Number);
      const known = position?.length === 3 && position.every(Number.isFinite);
      canvas = await openCanvas(root, place, known ? (position as [number, number, number]) : null, (seen) => {
        if (seen) select(seen, null);
        else if (selected) leave();
      }, () => { moved(); }); // prettier-ignore
      say_('');
      if (near.value) {
        const [lon, lat] = near.value.split(',').map(Number) as [number, number];
        canvas.mark(lon, lat);
        if (!known) canvas.goTo(lon, lat, NEAR);
      }
      if (district() && !known) canvas.district(district());
      canvas.lay(on(), things);
      told();
      await canvas.drawn();
      listView();
    } catch (error) {
      say_('');
      fail(place, error);
    }
  };
  const moved = () => {
    told();
    listView();
    if ([...things.values()].some((one) => one.capped)) void show();
  };
  void show();
  if (selected) void showThing(false);
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    void open();
  });
  watcher.observe(place);
  setInterval(() => {
    if (!document.hidden && clock.at() === null) void showTime();
  }, RENEW);
}
