/** The sentence that takes the place of a map that cannot be drawn. It stands apart from what draws maps. */
import { say } from './page';

/** Say that there is no map, where it would be. */
export function fail(place: HTMLElement, error: unknown): void {
  console.warn('map', error);
  const words = document.createElement('p');
  words.className = 'map__failed';
  words.textContent = say('failed');
  place.replaceChildren(words);
}
