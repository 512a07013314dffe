// What a search looks like: rows, facets, chips, pager, and what is said where nothing is found.
import { FACETS, fold } from "./search-index.js";
import { find, termsOf } from "./search-match.js";
import { near } from "./search-near.js";

const { root, translate, translateAll } = window.mulu;
const SHOWN = 10, BY_COUNT = ["department", "theme", "format"], BEFORE = 12, AROUND = 60;
export const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ","); // toLocaleString takes a tenth of a second the first time

export const make = (tag, props = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children);
  return element;
};
const chinese = (element) => Object.assign(element, { lang: "zh-CN" });
const dot = (key) => {
  const mark = make("i", { className: "dot dot-" + (["unconditional", "conditional", "none"].includes(key) ? key : "unknown") });
  mark.setAttribute("aria-hidden", "true");
  return mark;
};

// ---- hits marked

// A text folded character by character, and for each folded unit its place in the text: folding may change lengths (㎡ → m2).
function folding(text) {
  let folded = "";
  const from = [];
  let at = 0;
  for (const c of text) {
    const now = fold(c);
    for (let i = 0; i < now.length; i++) from.push(at);
    folded += now;
    at += c.length;
  }
  from.push(at);
  return { folded, from };
}

export function marked(text, terms) {
  const { folded, from } = folding(text), on = new Array(text.length).fill(false);
  for (const term of terms)
    for (let at = folded.indexOf(term); at >= 0; at = folded.indexOf(term, at + 1)) on.fill(true, from[at], Math.max(from[at + term.length], from[at + term.length - 1] + 1));
  const parts = [];
  for (let i = 0; i < text.length; ) {
    let end = i;
    while (end < text.length && on[end] === on[i]) end++;
    const piece = text.slice(i, end);
    parts.push(on[i] ? make("mark", {}, piece) : piece);
    i = end;
  }
  return parts;
}

// Where a row was found by its abstract or an item: the words around the hit. It fills a line that is there already.
async function quote(line, index, i, terms) {
  const { lines } = await index.textOf(i);
  const at = lines.findIndex((text) => terms.some((term) => fold(text).includes(term)));
  if (at < 0) return;
  const { folded, from } = folding(lines[at]);
  const hit = from[Math.min(...terms.map((term) => folded.indexOf(term)).filter((n) => n >= 0))];
  const start = hit > BEFORE + 4 ? hit - BEFORE : 0, text = lines[at].slice(start, start + AROUND);
  line.replaceChildren(make("span", {}, translate(at ? "信息项：" : "摘要：")),
    chinese(make("bdi", {}, start ? "…" : "", ...marked(text, terms), start + AROUND < lines[at].length ? "…" : "")));
}

// ---- rows

function row(index, i, found) {
  const { title, page, date } = index.shown(i), cell = (name, ...children) => make("td", { className: name }, ...children);
  const badge = (facet) => {
    const [key, label] = index.facets[facet][index.columns[facet][i]] ?? ["", "未载明"];
    return make("span", { className: "badge" }, dot(key), label);
  };
  const name = cell("name", chinese(make("a", { href: `${root}entry/${page}/` }, make("bdi", {}, ...marked(title, found.terms)))));
  if (index.objection.has(i)) name.append(" ", make("span", { className: "flag" }, "异议复核中"));
  const inText = found.textTerms(i);
  if (inText.length) {
    const line = make("span", { className: "within" }, "摘要或信息项中含有");
    name.append(line);
    quote(line, index, i, inText).catch(() => {}); // the words that stand there hold as well
  }
  const formats = index.values("format", i).slice(0, 3).map((k) => index.facets.format[k][0]).join(" ");
  return make("tr", {}, name, chinese(cell("who", index.facets.department[index.columns.department[i]]?.[1] ?? "")),
    cell("class", badge("open")), cell("class class-share", badge("share")), cell("formats", formats),
    cell("date", date ? make("time", { dateTime: date }, date) : "—"));
}

export function table(index, found, places) {
  const heads = ["名称", "提供部门", "开放", "共享", "格式", "更新日期"].map((h) => make("th", { scope: "col" }, h));
  return make("table", { className: "register" }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...places.map((i) => row(index, i, found))));
}

export function pager(page, pages, addressOf, go) {
  const nav = make("nav", { className: "pager" }), list = make("ol");
  nav.setAttribute("aria-label", "分页");
  const step = (n, text) => make("a", { href: addressOf(n), onclick: (event) => { if (plain(event)) go(n); } }, text);
  let last = 0;
  for (let n = 1; n <= pages; n++) {
    if (n > 1 && n < pages && Math.abs(n - page) > 2) continue;
    if (n - last > 1) list.append(make("li", {}, make("span", { className: "gap" }, "…")));
    const here = make("span", {}, String(n));
    here.setAttribute("aria-current", "page");
    list.append(make("li", {}, n === page ? here : step(n, String(n))));
    last = n;
  }
  if (page > 1) nav.append(step(page - 1, "上一页"));
  nav.append(list);
  if (page < pages) nav.append(step(page + 1, "下一页"));
  return nav;
}

// A click that stays on this page; with a key held it opens another one, as everywhere
function plain(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  event.preventDefault();
  return true;
}

// ---- facets

const unfolded = new Set();
function group(index, state, counts, f, change) {
  const values = index.facets[f].map(([key, label], k) => ({ key, label, n: counts[f][k], on: state[f].includes(key) })).filter((v) => v.n || v.on);
  if (BY_COUNT.includes(f)) values.sort((a, b) => b.on - a.on || b.n - a.n);
  const section = make("section", { hidden: !values.length }), list = make("ul", { className: "leaders" }), all = unfolded.has(f);
  section.setAttribute("aria-labelledby", "f-" + f);
  for (const v of all ? values : values.slice(0, SHOWN)) {
    const dots = make("span", { className: "leaders-dots" });
    dots.setAttribute("aria-hidden", "true");
    const button = make("button", { type: "button", onclick: () => change({ [f]: v.on ? state[f].filter((k) => k !== v.key) : [...state[f], v.key] }) },
      ...(f === "open" || f === "share" ? [dot(v.key)] : []), make("span", { className: "leaders-label" }, v.label), dots, make("span", { className: "leaders-count" }, number(v.n)));
    button.setAttribute("aria-pressed", String(v.on));
    button.dataset.facet = f + "=" + v.key;
    list.append(make("li", {}, button));
  }
  section.append(make("h2", { id: "f-" + f }, index.labels[f] ?? f), list);
  if (values.length > SHOWN) {
    const more = make("button", { type: "button", className: "unfold" }, all ? "收起" : `全部 ${values.length} 项`);
    more.setAttribute("aria-expanded", String(all));
    more.dataset.facet = f;
    more.onclick = () => {
      if (!unfolded.delete(f)) unfolded.add(f);
      const made = group(index, state, counts, f, change);
      translateAll(made);
      section.replaceWith(made);
      made.querySelector(".unfold").focus();
    };
    section.append(more);
  }
  return section;
}

export function facets(box, index, state, counts, change) {
  const focus = box.contains(document.activeElement) && document.activeElement.dataset.facet;
  box.replaceChildren(...FACETS.map((f) => group(index, state, counts, f, change)));
  translateAll(box);
  if (focus) box.querySelector(`[data-facet="${CSS.escape(focus)}"]`)?.focus();
}

export function chips(box, index, state, change, otherwise) {
  const had = box.contains(document.activeElement) ? [...box.children].indexOf(document.activeElement) : -1;
  const made = FACETS.flatMap((f) => state[f].map((key) => {
    const label = index.facets[f].find(([k]) => k === key)?.[1] ?? key;
    const button = make("button", { type: "button", onclick: () => change({ [f]: state[f].filter((k) => k !== key) }) }, make("span", {}, label), " ×");
    button.setAttribute("aria-label", translate("取消筛选") + " " + translate(label));
    return button;
  }));
  if (made.length > 1) made.push(make("button", { type: "button", className: "all", onclick: () => change(Object.fromEntries(FACETS.map((f) => [f, []]))) }, "全部取消"));
  box.replaceChildren(...made);
  translateAll(box);
  if (had >= 0) (box.children[Math.min(had, made.length - 1)] ?? otherwise).focus(); // the one that was pressed is gone
}

// ---- nothing found

// What to do next, the surest first. `addressOf(part)` and `change(part)`: the query with a part of it another.
export function nothing(index, state, addressOf, change) {
  const note = make("div", { className: "nothing" }, make("p", {}, "没有找到相符的条目。"));
  const total = (part) => find(index, { ...state, ...part }).hits.length;
  const link = (part, ...text) => make("a", { href: addressOf(part), onclick: (event) => { if (plain(event)) change(part); } }, ...text);
  const word = (text) => chinese(make("bdi", {}, text));
  const terms = termsOf(state.q), free = Object.fromEntries(FACETS.map((f) => [f, []]));
  const unfiltered = FACETS.some((f) => state[f].length) ? total(free) : 0;
  if (unfiltered) note.append(make("p", {}, link(free, `取消筛选，有 ${number(unfiltered)} 条`)));
  else {
    const ways = (label, links) => { if (links.length) note.append(make("p", { className: "ways" }, make("span", {}, label), ...links)); };
    const count = new Map(terms.map((term) => [term, total({ ...free, q: term })]));
    const meant = terms.filter((term) => !count.get(term)).flatMap((term) => near(index, term).map((other) => {
      const whole = terms.map((t) => (t === term ? other : t)).join(" ");
      return total({ ...free, q: whole }) ? whole : other; // never a way that leads nowhere
    }));
    ways("您是不是要找：", meant.map((q) => link({ ...free, q }, word(q))));
    if (terms.length > 1) ways("分开检索：", terms.filter((term) => count.get(term)).map((q) => make("span", {}, link({ ...free, q }, word(q)), make("span", {}, `（${number(count.get(q))} 条）`))));
  }
  const wanted = state.q.trim();
  note.append(make("p", {}, make("a", { href: root + "ask/demand/" + (wanted ? "?title=" + encodeURIComponent(wanted) : "") }, "目录里没有需要的数据？提出需求")),
    make("p", {}, make("a", { href: root + "browse/" }, "按分类浏览全部条目")));
  return note;
}
