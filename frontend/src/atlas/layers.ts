/** The panel of layers: which are on, in what order, and the legend of each. */
import { say, sayNumber } from '../page';
import type { Scale } from './data';
import { shade, swatch } from './shapes';

export interface Layer {
  id: string;
  kind: 'things' | 'features' | 'ground';
  source: string;
  title: string;
  tiles: string;
  simulated: boolean;
  /** Number of its shape and, of objects, of its colour. */
  mark: number;
  element: HTMLElement;
}

/** All layers in the order of the page, the uppermost first. */
export function readLayers(root: HTMLElement): Layer[] {
  let mark = 0;
  return [...root.querySelectorAll<HTMLElement>('[data-atlas-layer]')].map((element) => {
    const { atlasLayer, kind, source, title, tiles, simulated } = element.dataset;
    const found = {
      id: atlasLayer!,
      kind: kind as Layer['kind'],
      source: source!,
      title: title!,
      tiles: tiles ?? '',
      simulated: simulated !== undefined,
      mark,
      element,
    };
    if (kind !== 'ground') mark += 1;
    return found;
  });
}

/** Whether a layer is to be seen. */
export function isOn(layer: Layer): boolean {
  const input = layer.element.querySelector<HTMLInputElement>('input[name=layer]');
  return input !== null && (input.type !== 'checkbox' || input.checked);
}

/** Which of its values is to be seen; empty for the first. */
export function shown(layer: Layer): string {
  const field = [...layer.element.querySelectorAll<HTMLSelectElement | HTMLInputElement>('select, input[type=hidden]')];
  return field.find((one) => one.name.startsWith('show:'))?.value ?? '';
}

/** Let layers be moved up and down with buttons; `call` hears of the new order. */
export function offerOrder(root: HTMLElement, call: () => void): void {
  const told = root.querySelector<HTMLElement>('[data-atlas-moved]');
  for (const bar of root.querySelectorAll<HTMLElement>('[data-atlas-move]')) bar.hidden = false;
  root.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>('button[data-move]');
    const item = button?.closest<HTMLElement>('[data-atlas-layer]');
    if (!button || !item) return;
    const up = button.dataset.move === 'up';
    const other = up ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (up) other.before(item);
    else other.after(item);
    button.focus();
    if (told) told.textContent = say(up ? 'upMoved' : 'downMoved', item.dataset.title!);
    call();
  });
}

/** Write the legend of things: title, then each class with its sign, its words and how many there are. */
export function showLegend(layer: Layer, scale: Scale): void {
  const place = layer.element.querySelector<HTMLElement>('[data-atlas-legend]')!;
  const title = document.createElement('p');
  title.className = 'atlas__what';
  title.textContent = scale.title;
  const list = document.createElement('ul');
  list.className = 'swatches';
  scale.labels.forEach((label, number) => {
    const count = scale.counts[number] ?? 0;
    const none = number === scale.labels.length - 1;
    if (count === 0 && (none || !scale.numbers)) return;
    const item = document.createElement('li');
    const words = document.createElement('span');
    words.textContent = `${label} (${sayNumber(count)})`;
    item.append(swatch(layer.mark, shade(scale.numbers, number, none), layer.simulated), words);
    list.append(item);
  });
  place.replaceChildren(title, list);
}

/** The legend of objects and outlines: the one sign that they have. */
export function showSign(layer: Layer, moment: boolean): void {
  const place = layer.element.querySelector<HTMLElement>('[data-atlas-legend]')!;
  if (layer.kind === 'ground') return;
  const list = document.createElement('ul');
  list.className = 'swatches';
  const item = document.createElement('li');
  const words = document.createElement('span');
  words.textContent = moment ? say('objectNow') : layer.title;
  item.append(swatch(layer.mark, `al-kind-${layer.mark % 6}`, layer.simulated), words);
  list.append(item);
  place.replaceChildren(list);
}

/** No legend for what is not seen. */
export function hideLegend(layer: Layer): void {
  layer.element.querySelector<HTMLElement>('[data-atlas-legend]')!.replaceChildren();
}
