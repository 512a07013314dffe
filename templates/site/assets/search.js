// Search in the browser: no server, no dependencies. The index is fetched on the first focus (see mulu_site/search.py for its form).
// Stage one (titles, departments, classes, codes, pinyin initials) answers at once; stage two (abstracts, item names) follows.
(() => {
  const { root, translate, translateAll, ready } = window.mulu;
  const FACETS = ["open", "department", "theme", "kind", "share", "frequency", "format", "api"];
  const PER_PAGE = 30, SHOWN = 10;
  const byId = (id) => document.getElementById(id);
  const field = byId("q"), results = byId("results"), count = byId("count"), sort = byId("sort"), chosen = byId("chosen"), also = byId("also");
  const facetBox = byId("facets"), facetGroups = byId("facet-groups");
  const fold = (text) => text.normalize("NFKC").toLowerCase();
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ","); // toLocaleString takes a tenth of a second the first time

  // ---- the index

  let index = null, loading = null;
  const get = async (path) => {
    const answer = await fetch(root + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };

  function load() {
    loading ??= (async () => {
      const head = await get("search/index.json");
      const pieces = await Promise.all(head.rows.map(get));
      const all = { ...head, objection: new Set(), open: [], share: [], department: [], theme: [], kind: [], frequency: [], format: [] };
      const lines = (text) => pieces.flatMap((p) => (p.department.length ? text(p).split("\n") : []));
      for (const name of ["title", "page", "code", "initials", "date"]) all[name] = lines((p) => p[name]);
      all.folded = lines((p) => fold(p.title)); // a piece at a time: many times as fast as a title at a time
      all.codes = lines((p) => fold(p.code));
      for (const name of FACETS) if (name !== "api") all[name] = pieces.flatMap((p) => p[name]);
      all.api = new Array(head.total).fill(-1);
      pieces.forEach((p, n) => {
        for (const i of p.objection) all.objection.add(n * head.piece + i);
        for (const i of p.api) all.api[n * head.piece + i] = 0;
      });
      all.names = Object.fromEntries(FACETS.map((f) => [f, head.facets[f].map(([, label]) => fold(label))]));
      all.departmentInitials = head.facets.department.map(([, , initials]) => initials);
      index = all;
      navigator.serviceWorker?.controller?.postMessage({ keep: "search" }); // so that it answers without a network as well
    })();
    loading.catch(() => { loading = null; });
    return loading;
  }

  // ---- stage two: entries that hold a term in abstract or item names

  const shards = new Map();
  function shard(n) {
    if (!shards.has(n)) {
      const fetched = get(index.words[n]);
      fetched.catch(() => shards.delete(n));
      shards.set(n, fetched);
    }
    return shards.get(n);
  }
  function shardOf(pair) {
    let value = 0;
    for (let i = 0; i < pair.length; i++) value = (value * 31 + pair.charCodeAt(i)) % 65521;
    return value % index.words.length;
  }
  const inText = new Map(); // term → Set of positions
  async function lookUp(term) {
    const chars = [...term];
    if (chars.length < 2 || inText.has(term)) return;
    const pairs = [...new Set(chars.slice(1).map((c, i) => chars[i] + c))];
    const lists = await Promise.all(pairs.map(async (pair) => (await shard(shardOf(pair)))[pair]));
    let held = null;
    for (const list of lists) {
      const found = new Set();
      let at = 0;
      if (list) for (const step of list.split(" ")) { at += parseInt(step, 36); if (!held || held.has(at)) found.add(at); }
      held = found;
    }
    inText.set(term, held);
  }

  // ---- matching

  // The term with each of its words that has others for the same thing replaced by these: 医保药店 → 医疗保险药店, 医保零售药店 …
  const MOST_VARIANTS = 12;
  function variants(term) {
    const found = new Set();
    for (const group of index.synonyms) {
      const word = group.filter((w) => term.includes(w)).sort((a, b) => b.length - a.length)[0];
      if (word) for (const other of group) if (other !== word && !term.includes(other)) found.add(term.replace(word, other));
    }
    return [...found].slice(0, MOST_VARIANTS);
  }

  // A title that holds another word for the same thing comes after all that hold the word itself.
  function matcher(term) {
    const own = matcherOf(term), others = variants(term).map(matcherOf);
    return (i) => own(i) || Math.min(39, 0.6 * Math.max(0, ...others.map((test) => test(i))));
  }

  // How well entry i answers the term: title first, then code, classes and department, initials, and last its text. 0: not at all.
  function matcherOf(term) {
    const facets = FACETS.map((f) => [index[f], index.names[f].map((name) => [...term].length > 1 && name.includes(term))]).filter(([, hit]) => hit.includes(true));
    const latin = /^[a-z0-9]{2,}$/.test(term);
    const text = inText.get(term);
    return (i) => {
      const at = index.folded[i].indexOf(term);
      if (at >= 0) return index.folded[i].length === term.length ? 100 : at === 0 ? 60 : 40;
      if (index.codes[i].includes(term)) return 30;
      for (const [column, hit] of facets) if (Array.isArray(column[i]) ? column[i].some((k) => hit[k]) : hit[column[i]]) return 15;
      if (latin) {
        const start = index.initials[i].indexOf(term);
        if (start >= 0) return start === 0 ? 12 : 8;
        if (index.departmentInitials[index.department[i]]?.includes(term)) return 8;
      }
      return text?.has(i) ? 1 : 0;
    };
  }

  function find(state) {
    const terms = fold(state.q).split(/\s+/).filter(Boolean);
    const tests = terms.map(matcher);
    const wanted = FACETS.filter((f) => state[f].length).map((f) => {
      const keys = index.facets[f].map(([key]) => key);
      return [f, new Set(state[f].map((key) => keys.indexOf(key)).map((k) => (k < 0 ? NaN : k)))]; // a value that nobody has finds nothing
    });
    const hits = [], score = new Map();
    const counts = Object.fromEntries(FACETS.map((f) => [f, new Array(index.facets[f].length).fill(0)]));
    const passes = (f, set, i) => (Array.isArray(index[f][i]) ? index[f][i].some((k) => set.has(k)) : set.has(index[f][i]));
    for (let i = 0; i < index.total; i++) {
      let sum = 0, good = true;
      for (const test of tests) { const s = test(i); if (!s) { good = false; break; } sum += s; }
      if (!good) continue;
      // A facet counts what its values would give beside the other facets, so one miss is allowed: in that facet itself.
      let missed = "", misses = 0;
      for (const [f, set] of wanted) if (!passes(f, set, i)) { missed = f; if (++misses > 1) break; }
      if (misses > 1) continue;
      for (const f of misses ? [missed] : FACETS) {
        const k = index[f][i];
        if (Array.isArray(k)) for (const one of k) counts[f][one]++;
        else if (k >= 0) counts[f][k]++;
      }
      if (!misses) { hits.push(i); score.set(i, sum); }
    }
    if (state.sort === "updated") hits.sort((a, b) => (index.date[b] > index.date[a]) - (index.date[b] < index.date[a]) || a - b);
    else if (state.sort !== "title" && terms.length) hits.sort((a, b) => score.get(b) - score.get(a) || a - b);
    return { hits, counts, terms: terms.flatMap((term) => [term, ...variants(term)]), others: terms.flatMap(variants), score };
  }

  // ---- the page

  const make = (tag, props = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  };
  const dot = (key) => {
    const mark = make("i", { className: "dot dot-" + (["unconditional", "conditional", "none"].includes(key) ? key : "unknown") });
    mark.setAttribute("aria-hidden", "true");
    return mark;
  };
  const badge = (facet, i) => {
    const [key, label] = index.facets[facet][index[facet][i]] ?? ["", "未载明"];
    return make("span", { className: "badge" }, dot(key), label);
  };
  const cell = (name, label, ...children) => make("td", { className: name }, ...children);

  function marked(title, folded, terms) {
    if (title.length !== folded.length) return [title];
    const on = new Array(title.length).fill(false);
    for (const term of terms) for (let at = folded.indexOf(term); at >= 0; at = folded.indexOf(term, at + 1)) on.fill(true, at, at + term.length);
    const parts = [];
    for (let i = 0; i < title.length; ) {
      let end = i;
      while (end < title.length && on[end] === on[i]) end++;
      const text = title.slice(i, end);
      parts.push(on[i] ? make("mark", {}, text) : text);
      i = end;
    }
    return parts;
  }

  function row(i, found) {
    const link = make("a", { href: `${root}entry/${index.page[i]}/`, lang: "zh-CN" }, make("bdi", {}, ...marked(index.title[i], index.folded[i], found.terms)));
    const name = cell("name", "", link);
    if (index.objection.has(i)) name.append(" ", make("span", { className: "flag" }, "异议复核中"));
    if (found.terms.length && found.score.get(i) < 8) name.append(make("span", { className: "within" }, "摘要或信息项中含有"));
    return make("tr", {}, name,
      Object.assign(cell("who", "", index.facets.department[index.department[i]]?.[1] ?? ""), { lang: "zh-CN" }),
      cell("class", "", badge("open", i)), cell("class class-share", "", badge("share", i)),
      cell("formats", "", index.format[i].slice(0, 3).map((k) => index.facets.format[k][0]).join(" ")),
      cell("date", "", index.date[i] ? make("time", { dateTime: index.date[i] }, index.date[i]) : "—"));
  }

  const headings = () => make("thead", {}, make("tr", {}, ...["名称", "提供部门", "开放", "共享", "格式", "更新日期"].map((h) => make("th", { scope: "col" }, h))));

  function pager(state, pages) {
    const nav = make("nav", { className: "pager" });
    nav.setAttribute("aria-label", "分页");
    const step = (page, text) => make("a", { href: address({ ...state, page }), onclick: (e) => { e.preventDefault(); change({ page }); byId("count").scrollIntoView(); } }, text);
    const list = make("ol");
    let last = 0;
    for (let n = 1; n <= pages; n++) {
      if (n > 1 && n < pages && Math.abs(n - state.page) > 2) continue;
      if (n - last > 1) list.append(make("li", {}, make("span", { className: "gap" }, "…")));
      const here = make("span", {}, String(n));
      here.setAttribute("aria-current", "page");
      list.append(make("li", {}, n === state.page ? here : step(n, String(n))));
      last = n;
    }
    if (state.page > 1) nav.append(step(state.page - 1, "上一页"));
    nav.append(list);
    if (state.page < pages) nav.append(step(state.page + 1, "下一页"));
    return nav;
  }

  const unfolded = new Set();
  function facets(state, counts) {
    const focus = document.activeElement?.dataset?.facet;
    facetGroups.replaceChildren(...FACETS.map((f) => {
      const values = index.facets[f].map(([key, label], k) => ({ key, label, n: counts[f][k], on: state[f].includes(key) })).filter((v) => v.n || v.on);
      if (f === "department" || f === "theme" || f === "format") values.sort((a, b) => b.on - a.on || b.n - a.n);
      const section = make("section", { hidden: !values.length });
      section.setAttribute("aria-labelledby", "f-" + f);
      const list = make("ul", { className: "leaders" });
      for (const v of unfolded.has(f) ? values : values.slice(0, SHOWN)) {
        const label = make("span", { className: "leaders-label" }, v.label), dots = make("span", { className: "leaders-dots" });
        dots.setAttribute("aria-hidden", "true");
        const button = make("button", { type: "button", onclick: () => change({ [f]: v.on ? state[f].filter((k) => k !== v.key) : [...state[f], v.key], page: 1 }) },
          ...(f === "open" || f === "share" ? [dot(v.key)] : []), label, dots, make("span", { className: "leaders-count" }, number(v.n)));
        button.setAttribute("aria-pressed", String(v.on));
        button.dataset.facet = f + "=" + v.key;
        list.append(make("li", {}, button));
      }
      section.append(make("h2", { id: "f-" + f }, index.labels[f] ?? f), list);
      if (values.length > SHOWN) {
        const open = unfolded.has(f);
        section.append(make("p", { className: "more" }, make("a", { href: "#f-" + f, role: "button", onclick: (e) => { e.preventDefault(); open ? unfolded.delete(f) : unfolded.add(f); facets(state, counts); } }, open ? "收起" : `全部 ${values.length} 项`)));
      }
      return section;
    }));
    translateAll(facetGroups);
    if (focus) facetGroups.querySelector(`[data-facet="${CSS.escape(focus)}"]`)?.focus();
    chosen.replaceChildren(...FACETS.flatMap((f) => state[f].map((key) => {
      const label = index.facets[f].find(([k]) => k === key)?.[1] ?? key;
      const button = make("button", { type: "button", onclick: () => change({ [f]: state[f].filter((k) => k !== key), page: 1 }) }, make("span", {}, label), " ×");
      button.setAttribute("aria-label", translate("取消筛选") + " " + translate(label));
      return button;
    })));
    translateAll(chosen);
  }

  function show() {
    const found = find(state);
    const pages = Math.max(1, Math.ceil(found.hits.length / PER_PAGE));
    state.page = Math.min(state.page, pages);
    const part = found.hits.slice((state.page - 1) * PER_PAGE, state.page * PER_PAGE);
    if (part.length) {
      results.replaceChildren(make("table", { className: "register" }, headings(), make("tbody", {}, ...part.map((i) => row(i, found)))));
      if (pages > 1) results.append(pager(state, pages));
    } else {
      const note = make("div", { className: "nothing" }, make("p", {}, "没有找到相符的条目。可以减少字数或取消筛选再试。"));
      note.append(make("p", {}, make("a", { href: root + "ask/demand/" }, "目录里没有需要的数据？提出需求")));
      results.replaceChildren(note);
    }
    const said = translate(`共 ${number(found.hits.length)} 条`);
    if (count.textContent !== said) count.textContent = said;
    also.hidden = !found.others.length;
    also.replaceChildren(translate("同时检索："), make("span", { lang: "zh-CN" }, found.others.join("、")));
    facets(state, found.counts);
    translateAll(results);
    results.dataset.query = state.q;
  }

  // ---- state: in the address, so that a link keeps the query

  let state = read();
  function read() {
    const given = new URLSearchParams(location.search);
    const made = { q: given.get("q") ?? "", sort: given.get("sort") ?? "", page: Math.max(1, parseInt(given.get("page"), 10) || 1) };
    for (const f of FACETS) made[f] = given.getAll(f);
    return made;
  }
  function address(s) {
    const out = new URLSearchParams();
    if (s.q.trim()) out.set("q", s.q.trim());
    for (const f of FACETS) for (const key of s[f]) out.append(f, key);
    if (s.sort) out.set("sort", s.sort);
    if (s.page > 1) out.set("page", s.page);
    const text = out.toString();
    return location.pathname + (text ? "?" + text : "");
  }

  let turn = 0, timer = 0;
  async function update(push) {
    const mine = ++turn;
    history[push ? "pushState" : "replaceState"](null, "", address(state));
    try {
      await Promise.all([load(), ready]);
    } catch {
      count.textContent = translate("检索索引没有取到，请检查网络后重试，或按分类浏览。");
      return;
    }
    if (mine !== turn) return;
    show();
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const terms = fold(state.q).split(/\s+/).filter((t) => [...t].length > 1);
      if (!terms.length) { results.dataset.complete = state.q; return; }
      await Promise.all(terms.flatMap((term) => [term, ...variants(term)]).map(lookUp)).catch(() => {}); // the text index failed: titles still answer
      if (mine === turn) { show(); results.dataset.complete = state.q; }
    }, 100);
  }
  function change(part) {
    state = { ...state, ...part };
    update(true);
  }

  // All that a query finds, as folders under entry/, for a page's own scripts and for tests.
  window.mulu.find = async (q) => {
    await load();
    await Promise.all(fold(q).split(/\s+/).flatMap((term) => [term, ...variants(term)]).map(lookUp));
    return find({ ...read(), q }).hits.map((i) => index.page[i]);
  };

  field.value = state.q;
  sort.value = state.sort;
  field.addEventListener("focus", () => load().catch(() => {}), { once: true });
  field.addEventListener("input", (event) => {
    if (event.isComposing) return; // an input method is still at work
    state = { ...state, q: field.value, page: 1 };
    update(false);
  });
  field.addEventListener("compositionend", () => field.dispatchEvent(new Event("input")));
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    state = { ...state, q: field.value, page: 1 };
    update(true);
  });
  sort.addEventListener("change", () => change({ sort: sort.value, page: 1 }));
  window.addEventListener("popstate", () => { state = read(); field.value = state.q; sort.value = state.sort; update(false); });
  document.addEventListener("keydown", (event) => {
    const links = [...results.querySelectorAll(".name a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape" && at >= 0) field.focus();
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || (at < 0 && document.activeElement !== field)) return;
    event.preventDefault();
    if (event.key === "ArrowUp" && at <= 0) field.focus();
    else links[Math.min(links.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))]?.focus();
  });
  if (matchMedia("(max-width: 60rem)").matches) facetBox.open = false;
  if (location.search.replace(/[?&]lang=\w+/, "")) update(false);
})();
