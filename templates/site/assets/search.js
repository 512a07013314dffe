// The search page: what is typed and chosen becomes the address, the index answers, the view shows it. Nothing is fetched before use.
// search-index.js fetches, search-match.js finds, search-near.js guesses, search-view.js shows.
import { FACETS, Gone, Index } from "./search-index.js";
import { find, lookUp, termsOf, verify } from "./search-match.js";
import { chips, facets, make, nothing, number, pager, table } from "./search-view.js";

const { root, translate, translateAll, ready } = window.mulu;
const PER_PAGE = 30, TYPING = 120, PARTLY = 400, SAID = 700; // milliseconds: before the second stage, between partial answers, before it is read out
const byId = (id) => document.getElementById(id);
const field = byId("q"), results = byId("results"), count = byId("count"), said = byId("said"), sort = byId("sort"), chosen = byId("chosen"), also = byId("also"), groups = byId("facet-groups");

// ---- state: in the address, so that a link keeps the query

let state = read();
function read() {
  const given = new URLSearchParams(location.search), order = given.get("sort") ?? "";
  const made = { q: given.get("q") ?? "", sort: [...sort.options].some((o) => o.value === order) ? order : "", page: Math.max(1, parseInt(given.get("page"), 10) || 1) };
  for (const f of FACETS) made[f] = [...new Set(given.getAll(f).filter(Boolean))];
  return made;
}
function addressOf(part = {}) {
  const s = { ...state, page: 1, ...part }, out = new URLSearchParams();
  if (s.q.trim()) out.set("q", s.q.trim());
  for (const f of FACETS) for (const key of s[f]) out.append(f, key);
  if (s.sort) out.set("sort", s.sort);
  if (s.page > 1) out.set("page", s.page);
  const text = out.toString();
  return location.pathname + (text ? "?" + text : "");
}
function keepAddress(push) {
  try {
    history[push ? "pushState" : "replaceState"](null, "", addressOf({ page: state.page }));
  } catch { /* some browsers allow a hundred in half a minute: the next one tells it all */ }
}
function change(part, then) {
  state = { ...state, page: 1, ...part };
  field.value = state.q;
  update(true, then);
}
function turnTo(page) {
  change({ page }, () => {
    byId("results-head").scrollIntoView();
    links()[0]?.focus({ preventScroll: true });
  });
}

// ---- the index: loaded once, and once more where the site was built anew meanwhile

let index = null, loading = null, restarts = 0;
function load() {
  if (loading) return loading;
  const mine = loading = Index.load((some) => { if (loading === mine) partly(some); }).then((whole) => {
    index = whole;
    navigator.serviceWorker?.controller?.postMessage({ keep: "search" }); // so that it answers without a network as well
    return whole;
  });
  mine.catch(() => { if (loading === mine) index = loading = null; });
  return loading;
}

let waiting = false, shownAt = 0;
function partly(some) {
  index = some;
  if (!waiting || some.complete || performance.now() - shownAt < PARTLY) return;
  const found = find(some, state);
  if (found.hits.length) { show(found, false); shownAt = performance.now(); }
}

// ---- showing

const links = () => [...results.querySelectorAll(".name a")];

// Puts others in the place of what is shown. The keyboard stays on the same link or button, else on what stands in its place.
function replace(...parts) {
  const was = document.activeElement, at = results.contains(was) ? links().indexOf(was) : null;
  results.replaceChildren(...parts);
  translateAll(results);
  if (at === null) return;
  const same = [...results.querySelectorAll(was.localName)].filter((one) => one.tabIndex >= 0 && one.getAttribute("href") === was.getAttribute("href"));
  const next = same.find((one) => one.textContent === was.textContent) ?? same[0] ?? links()[Math.min(Math.max(at, 0), links().length - 1)];
  (next ?? results.querySelector("a, button, [tabindex]"))?.focus({ preventScroll: true });
}

// `whole`: nothing more is on its way; `failed`: what was on its way, abstracts and items, has not come.
function show(found, whole, failed = false) {
  const pages = Math.max(1, Math.ceil(found.hits.length / PER_PAGE));
  if (whole) state.page = Math.min(state.page, pages);
  const part = found.hits.slice((Math.min(state.page, pages) - 1) * PER_PAGE, Math.min(state.page, pages) * PER_PAGE), parts = failed ? [titlesOnly()] : [];
  if (part.length) {
    parts.push(table(index, found, part));
    if (pages > 1) parts.push(pager(state.page, pages, (page) => addressOf({ page }), turnTo));
  } else if (!failed) parts.push(whole ? nothing(index, state, addressOf, change) : make("p", { className: "nothing", tabIndex: -1 }, "正在检索摘要和信息项……"));
  replace(...parts);
  const total = number(found.hits.length), loaded = index.complete ? `共 ${total} 条` : `已检索 ${number(index.loaded)} / ${number(index.total)} 条，找到 ${total} 条`;
  tell(translate(failed ? `名称中有 ${total} 条` : whole || part.length ? loaded : "正在检索……"), whole);
  also.hidden = !found.others.length;
  also.replaceChildren(translate("同时检索："), make("span", { lang: "zh-CN" }, found.others.join("、")));
  facets(groups, index, state, found.counts, change);
  chips(chosen, index, state, change, field);
  results.dataset.query = state.q;
  results.dataset.shown = "";
  results.toggleAttribute("data-partly", !whole);
}

const retry = () => make("button", { type: "button", className: "quiet", onclick: () => { restarts = 0; update(false); } }, "重试");
const titlesOnly = () => make("div", { className: "nothing" }, make("p", {}, "摘要和信息项没有取到，只检索了名称。"), make("p", { className: "actions" }, retry()));

// What is seen changes at every key; what is read out is said once the typing has come to rest.
let saying = 0;
function tell(text, aloud) {
  if (count.textContent !== text) count.textContent = text;
  clearTimeout(saying);
  if (aloud) saying = setTimeout(() => { if (said.textContent !== text) said.textContent = text; }, SAID);
}

function failed() {
  replace(make("div", { className: "nothing" }, make("p", {}, "检索索引没有取到，请检查网络后重试，或按分类浏览。"),
    make("p", { className: "actions" }, retry(), make("a", { className: "button quiet", href: root + "browse/" }, "按分类浏览全部条目"))));
  results.dataset.shown = "";
  tell(translate("检索暂时不能使用"), true);
}

let turn = 0, timer = 0;
async function update(push, then = () => {}) {
  const mine = ++turn;
  delete results.dataset.complete;
  if (push) keepAddress(true);
  clearTimeout(timer);
  waiting = true;
  try {
    await ready;
    if (index && !index.complete) partly(index);
    await load();
  } catch {
    if (mine === turn) failed();
    return;
  } finally {
    if (mine === turn) waiting = false;
  }
  if (mine !== turn) return;
  const more = termsOf(state.q).some((term) => [...term].length > 1), done = () => { results.dataset.complete = state.q; };
  show(find(index, state), !more);
  if (!push) keepAddress(false); // after the answer: browsers take their time for it
  then();
  if (!more) return done();
  timer = setTimeout(() => second(mine).then((still) => { if (still) done(); }), TYPING);
}

// The second stage: abstracts and items. Gives whether the query is still the one that was asked.
async function second(mine) {
  let looked = false;
  try {
    await lookUp(index, state.q);
    looked = true;
    if (mine !== turn) return false;
    const found = find(index, state);
    show(found, true);
    if (await verify(index, found) && mine === turn) show(find(index, state), true);
    restarts = 0;
  } catch (error) {
    if (mine !== turn) return false;
    if (error instanceof Gone && restarts++ < 2) { // the site was built anew since the page was opened
      index = loading = null;
      update(false);
      return false;
    }
    if (!looked) show(find(index, state), true, true); // else all was searched; a hit too many stays, as its text cannot be asked
  }
  return mine === turn;
}

// All that a query finds, as folders under entry/, for a page's own scripts and for tests.
window.mulu.find = async (q) => {
  const whole = await load(), asked = { ...read(), q };
  await lookUp(whole, q);
  await verify(whole, find(whole, asked));
  return find(whole, asked).hits.map((i) => whole.shown(i).page);
};

// ---- what people do

function typed(push) {
  state = { ...state, q: field.value, page: 1 };
  update(push);
}
field.addEventListener("focus", () => load().catch(() => {}), { once: true });
field.addEventListener("input", (event) => { if (!event.isComposing) typed(false); }); // while an input method is at work there are letters that nobody means
field.addEventListener("compositionend", () => typed(false));
field.form.addEventListener("submit", (event) => { event.preventDefault(); typed(true); });
sort.addEventListener("change", () => change({ sort: sort.value }));
addEventListener("popstate", () => { state = read(); field.value = state.q; sort.value = state.sort; update(false); });
addEventListener("pagehide", () => { try { history.replaceState({ y: scrollY }, ""); } catch { /* as above */ } });
document.addEventListener("keydown", (event) => {
  const all = links(), at = all.indexOf(document.activeElement);
  if (event.isComposing) return;
  if (event.key === "Escape" && at >= 0) field.focus();
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || (at < 0 && document.activeElement !== field)) return;
  event.preventDefault();
  if (event.key === "ArrowUp" && at <= 0) field.focus();
  else all[Math.min(all.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))]?.focus();
});

const y = history.state?.y; // come back from an entry: to where one was
field.value ||= state.q;
sort.value = state.sort;
if (field.value !== state.q) typed(false); // typed before this script had come
else if (location.search.replace(/[?&]lang=\w+/, "")) update(false, () => { if (y) scrollTo(0, y); });
