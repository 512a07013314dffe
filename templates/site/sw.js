// Reads without a network: the shell, the index once it was used, and the pages that were visited. Made by mulu_site.offline.
// Everything comes from the network first, so that nobody reads an old catalogue while there is one; only the pieces of the index,
// whose names change with their content, come from the store first.
const VERSION = "{{ version }}", SHELL = {{ shell }}, PORTAL = {{ portal }};
const scope = self.registration.scope, OURS = `mulu ${scope} `; // other sites may stand on the same host
const KEPT = OURS + VERSION, INDEX = OURS + "index", MOST_PAGES = {{ pages }}, MOST_ENTRIES = {{ entries }};
const here = (path) => new URL(path, scope).href;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(SHELL.map((path) => new Request(here(path), { cache: "no-cache" })))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith(OURS) && name !== KEPT && name !== INDEX) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function fresh(request, name, key = request) {
  const answer = await fetch(request);
  if (answer.ok && answer.type === "basic" && !/no-store|private/.test(answer.headers.get("Cache-Control") || "")) {
    const copy = answer.clone();
    caches.open(name).then((kept) => kept.put(key, copy)).catch(() => {}); // no room left: what is there stays
  }
  return answer;
}

// A page's address without its query: catalogue/?q=… is the page catalogue/.
async function page(request) {
  const key = request.url.split(/[?#]/)[0];
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected && /^text\/html/.test(answer.headers.get("Content-Type") || "")) {
      const copy = answer.clone();
      caches.open(KEPT).then(async (kept) => { await kept.put(key, copy); await trim(kept); }).catch(() => {});
    }
    return answer;
  } catch (error) {
    const kept = await caches.open(KEPT);
    return (await kept.match(key)) || (await kept.match(key.endsWith("/") ? key + "index.html" : key + "/")) || Response.redirect(here("offline.html"));
  }
}

async function trim(kept) {
  const pages = (await kept.keys()).filter((one) => !SHELL.some((path) => here(path) === one.url));
  for (const old of pages.slice(0, Math.max(0, pages.length - MOST_PAGES))) await kept.delete(old);
}

async function piece(request) {
  return (await (await caches.open(INDEX)).match(request.url)) || fresh(request, INDEX);
}

async function stored(request) {
  try { return await fresh(request, request.url === here("search/index.json") ? INDEX : KEPT); } catch (error) {
    const found = await caches.match(request.url, { ignoreSearch: true });
    if (found) return found;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event, { url } = request;
  if (request.method !== "GET" || !url.startsWith(scope) || (PORTAL && url.startsWith(PORTAL))) return;
  const path = url.slice(scope.length).split(/[?#]/)[0];
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (/^search\/(rows|words|texts)-.*\.json$/.test(path)) event.respondWith(piece(request));
  else if (path === "search/index.json" || path.startsWith("assets/")) event.respondWith(stored(request));
});

// After the first search: the rest of the index, a piece at a time, and nothing that it no longer names. The texts that hits are quoted
// from are kept as they are asked for: without them a hit is found all the same.
async function keepIndex() {
  const kept = await caches.open(INDEX), answer = await fresh(here("search/index.json"), INDEX);
  const head = await answer.json(), needed = [...head.rows, ...head.words].map(here), named = new Set([...needed, ...head.texts.map(here)]);
  for (const one of await kept.keys()) if (one.url !== here("search/index.json") && !named.has(one.url)) await kept.delete(one);
  const line = self.navigator.connection;
  if (head.total > MOST_ENTRIES || line?.saveData || /2g|3g/.test(line?.effectiveType || "")) return;
  for (const url of needed) if (!(await kept.match(url))) await fresh(url, INDEX);
}
let keeping = null;
self.addEventListener("message", (event) => {
  if (event.data?.keep !== "search") return;
  keeping ??= keepIndex().catch(() => {}).finally(() => { keeping = null; });
  event.waitUntil(keeping.then(() => event.source?.postMessage({ kept: "search" })));
});
