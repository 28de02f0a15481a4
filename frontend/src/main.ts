/**
 * The script of every page. All pages are readable without it; it adds what moves. Heavy parts (map, charts, MQTT)
 * are loaded only where a page has a place for them.
 */
import 'htmx.org';
import './styles/main.scss';
import { keepAgesFresh } from './ages';
import { offerThemes } from './theme';

offerThemes();
keepAgesFresh();

const live = document.querySelector<HTMLElement>('[data-live]');
if (live) void import('./live').then(({ startLive }) => startLive(live));

const asking = document.querySelector<HTMLFormElement>('form[data-ask]');
if (asking) void import('./myPlace').then(({ offerMyPlace }) => offerMyPlace(asking));

const map = document.querySelector<HTMLElement>('[data-map]');
if (map) whenNear(map, () => void import('./map').then(({ drawMap }) => drawMap(map)));

const places = document.querySelector<HTMLElement>('[data-own-map]');
if (places) whenNear(places, () => void import('./places').then(({ drawPlaces }) => drawPlaces(places)));

const pick = document.querySelector<HTMLElement>('[data-pick]');
if (pick) whenNear(pick, () => void import('./places').then(({ offerPlace }) => offerPlace(pick)));

const atlas = document.querySelector<HTMLElement>('[data-atlas]');
if (atlas) void import('./atlas/start').then(({ startAtlas }) => startAtlas(atlas));

const sought = document.querySelector<HTMLElement>('[data-atlas-search]');
if (sought) void import('./atlas/search').then(({ offerListSearch }) => offerListSearch(sought));

const extent = document.querySelector<HTMLElement>('[data-extent]');
if (extent) {
  extent.hidden = false; // without script there is nothing to take
  whenNear(extent, () => void import('./extent').then(({ offerExtent }) => offerExtent(extent)));
}

const board = document.querySelector<HTMLElement>('[data-board]');
if (board) void import('./board').then(({ startBoard }) => startBoard(board));

const composing = document.querySelector<HTMLFormElement>('form[data-compose]');
if (composing) void import('./compose').then(({ offerDragging }) => offerDragging(composing));
for (const panel of document.querySelectorAll<HTMLElement>('[data-series]')) {
  whenNear(panel, () => void import('./series').then(({ showSeries }) => showSeries(panel)));
}

const explorer = document.querySelector<HTMLElement>('[data-explorer]');
if (explorer) void import('./explorer').then(({ followPanel }) => followPanel(explorer));

const choosing = document.querySelector<HTMLElement>('[data-choose-map]');
if (choosing) whenNear(choosing, () => void import('./choose').then(({ offerChoice }) => offerChoice(choosing)));

const trial = document.querySelector<HTMLElement>('[data-trial]');
if (trial) void import('./trial').then(({ offerTrial }) => offerTrial(trial));

const preview = document.querySelector<HTMLElement>('[data-preview-map]');
if (preview) whenNear(preview, () => void import('./preview').then(({ drawPreview }) => drawPreview(preview)));

const dropping = document.querySelector<HTMLElement>('[data-drop]');
if (dropping) void import('./drop').then(({ offerDrop }) => offerDrop(dropping));

const editor = document.querySelector<HTMLTextAreaElement>('[data-run-keys]');
if (editor) void import('./runKeys').then(({ offerRunKeys }) => offerRunKeys(editor));

const passkeys = document.querySelectorAll<HTMLFormElement>('form[data-passkey]');
if (passkeys.length) void import('./passkey').then(({ offerPasskeys }) => offerPasskeys(passkeys));

const push = document.querySelector<HTMLElement>('[data-push]');
if (push) void import('./push').then(({ offerPush }) => offerPush(push));

/** Calls once the element comes within one screen of being seen. */
function whenNear(element: Element, call: () => void): void {
  const watcher = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      call();
    },
    { rootMargin: '100% 0%' },
  );
  watcher.observe(element);
}
