/** The signs of layers: each layer has a shape of its own, each class a colour and, of numbers, a size. */

/** Paths in a box of 20 by 20. */
export const SHAPES = [
  'M10 2a8 8 0 1 0 0 16a8 8 0 1 0 0-16z',
  'M3 3h14v14h-14z',
  'M10 1.5L18.5 17.5H1.5z',
  'M10 1L19 10L10 19L1 10z',
  'M6 2.5h8l5 7.5l-5 7.5h-8l-5-7.5z',
  'M7 2h6v5h5v6h-5v5h-6v-5h-5v-6h5z',
];

/** The name of the colour of a class in the stylesheet. */
export function shade(numbers: boolean, place: number, none: boolean): string {
  if (none) return 'al-none';
  return numbers ? `al-step-${Math.min(place, 4)}` : `al-kind-${Math.min(place, 5)}`;
}

/** A small drawing for the legend. */
export function swatch(shape: number, name: string, simulated: boolean): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '-1 -1 22 22');
  svg.setAttribute('class', 'swatch');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', SHAPES[shape % SHAPES.length]!);
  path.setAttribute('class', `swatch__sign ${name}${simulated ? ' swatch__sign--simulated' : ''}`);
  svg.append(path);
  return svg;
}
