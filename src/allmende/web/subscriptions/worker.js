/**
 * Shows what the house sends to this browser, and opens its page when somebody chooses it. It keeps nothing and answers
 * no requests: the pages work without it.
 */
self.addEventListener('push', (event) => {
  let said = {};
  try {
    said = event.data.json();
  } catch {
    return; // not from us
  }
  const { title, body, tag, lang, page } = said;
  event.waitUntil(self.registration.showNotification(String(title), { body, tag, lang, icon: '/static/icon.svg', data: { page } }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const page = new URL(event.notification.data?.page ?? '/subscriptions/', self.location.origin);
  if (page.origin === self.location.origin) event.waitUntil(self.clients.openWindow(page.href));
});

/** The push service reaches this browser elsewhere from now on: the house is told, by the address that it knows. */
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(move(event)));

async function move({ oldSubscription, newSubscription }) {
  if (!oldSubscription) return; // whoever comes to a page subscribes anew
  const made = newSubscription ?? (await self.registration.pushManager.subscribe(oldSubscription.options));
  const { endpoint, keys } = made.toJSON();
  const body = new URLSearchParams({ before: oldSubscription.endpoint, endpoint, p256dh: keys.p256dh, auth: keys.auth });
  await fetch('/subscriptions/push/move/', { method: 'POST', body, credentials: 'omit' });
}
