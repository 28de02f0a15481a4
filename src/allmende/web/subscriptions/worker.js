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
