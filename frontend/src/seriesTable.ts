/** The values of a chart as a table: the same content for whoever does not look at lines. */
import type { Answer } from './seriesPlot';
import { sayAt, sayMoment, sayValue, tell, type Texts } from './seriesWords';

const ROWS = 500;

/** Put what is shown into the box, the newest first. */
export function fillTable(box: HTMLElement, answer: Answer, texts: Texts): void {
  const table = box.querySelector('table');
  const head = table?.tHead?.rows[0];
  const body = table?.tBodies[0];
  if (!table || !head || !body) return;
  head.replaceChildren(
    header(tell(texts, 'time'), false),
    ...answer.streams.map((stream) => header(stream.label || stream.name, true)),
  );
  const places = answer.streams.map(
    (stream) => new Map(stream.t.map((time, at) => [time + (stream.shift ?? 0), at] as const)),
  );
  const moments = [...new Set(places.flatMap((known) => [...known.keys()]))]
    .filter((time) => time >= answer.from - answer.width && time <= answer.to)
    .sort((a, b) => b - a);
  const step = answer.streams.every((stream) => stream.width) ? answer.width : moments.every((m) => m % 60 === 0) ? 60 : 1;
  body.replaceChildren(
    ...moments.slice(0, ROWS).map((time) => {
      const row = document.createElement('tr');
      row.className = 'kern-table__row';
      const when = document.createElement('th');
      when.scope = 'row';
      when.className = 'kern-table__header';
      when.textContent = sayMoment(time, step);
      row.append(when);
      answer.streams.forEach((stream, at) => {
        const cell = row.insertCell();
        cell.className = 'kern-table__cell kern-table__cell--numeric';
        const place = places[at]!.get(time);
        cell.textContent = place === undefined ? '' : sayAt(stream, place, texts);
      });
      return row;
    }),
  );
  let cut = box.querySelector<HTMLElement>('.series__cut');
  if (!cut) {
    cut = document.createElement('p');
    cut.className = 'series__cut';
    box.append(cut);
  }
  cut.hidden = moments.length > 0 && moments.length <= ROWS;
  cut.textContent = moments.length ? tell(texts, 'more', sayValue(ROWS)) : tell(texts, 'nothing');
}

function header(text: string, numeric: boolean): HTMLElement {
  const cell = document.createElement('th');
  cell.scope = 'col';
  cell.className = `kern-table__header${numeric ? ' kern-table__header--numeric' : ''}`;
  cell.textContent = text;
  return cell;
}
