// A request: filled in at leisure, kept in the browser while it is unsent, sent to the portal, answered by a receipt.
(() => {
  const { Unreachable, Refused, call, proof, make, show, tell, receipt, save, day } = mulu.portal;
  const form = document.getElementById("ask");
  const { procedure, about, title } = form.dataset;
  const fields = [...form.querySelectorAll(".field")];
  const progress = document.getElementById("progress"), kept = document.getElementById("kept");
  const page = (new URLSearchParams(location.search).get("entry") || "").match(/^[a-z0-9][a-z0-9_-]{0,99}$/)?.[0] || "";
  const KEY = `mulu.ask.${procedure}.${about ? page : ""}`;
  let entry = null;
  let sending = false;
  let timer = 0;

  const store = {
    read() { try { return JSON.parse(localStorage.getItem(KEY)) || null; } catch { return null; } },
    write(value) {
      try {
        if (value) localStorage.setItem(KEY, JSON.stringify(value));
        else localStorage.removeItem(KEY);
        return true;
      } catch { return false; } // storage is switched off or full
    },
  };

  const value = (field) => {
    const { key, kind } = field.dataset, inputs = [...form.querySelectorAll(`[name="${key}"]`)];
    if (kind === "choice") return inputs.find((one) => one.checked)?.value ?? "";
    if (kind === "choices") return inputs.filter((one) => one.checked).map((one) => one.value);
    if (kind === "flag") return inputs[0].checked || "";
    if (kind === "files") return [...inputs[0].files];
    return inputs[0].value.trim();
  };
  const filled = (given) => (Array.isArray(given) ? given.length > 0 : given !== "");

  function data() {
    const out = {};
    for (const field of fields) {
      const given = value(field);
      if (field.dataset.kind !== "files" && filled(given)) out[field.dataset.key] = given;
    }
    return out;
  }

  function fill(values) {
    for (const field of fields) {
      const { key, kind } = field.dataset;
      if (!(key in values) || kind === "files") continue;
      for (const input of form.querySelectorAll(`[name="${key}"]`))
        if (["choice", "choices", "flag"].includes(kind)) input.checked = [values[key]].flat().map(String).includes(input.value);
        else input.value = values[key];
    }
  }

  const now = () => new Date().toISOString();
  const keep = (waiting) => {
    const given = data();
    const draft = { procedure, title, page, entry: entry?.id || "", about: entry?.title || "", data: given, saved_at: now(), waiting };
    store.write(Object.keys(given).length ? draft : null);
  };
  const forget = () => { clearTimeout(timer); store.write(null); };

  // What is missing or too long. The portal checks everything again.
  function needed(field) {
    if (field.dataset.required !== undefined) return `请填写“${field.dataset.label}”`;
    if (!field.dataset.needed) return "";
    const { when, message } = JSON.parse(field.dataset.needed);
    const given = data();
    return Object.entries(when).every(([key, wanted]) => given[key] === wanted) ? message : "";
  }

  function problems() {
    const found = [];
    for (const field of fields) {
      const { key, kind, label, max } = field.dataset, given = value(field), must = needed(field);
      const say = (message) => found.push({ field: key, message });
      if (!filled(given)) must && say(must);
      else if (kind !== "number" && max && [...given].length > Number(max)) say(`“${label}”有${[...given].length}字，最多${max}字`);
      else if (kind === "email" && !form.querySelector(`#f-${key}`).validity.valid) say(`“${label}”应为形如 name@example.com 的电子邮箱`);
    }
    return found;
  }

  function follow() {
    for (const field of fields) {
      const room = field.querySelector(".room"), mark = field.querySelector(".must");
      if (field.dataset.needed) mark.hidden = !needed(field);
      if (!room) continue;
      const length = [...value(field)].length, max = Number(field.dataset.max);
      room.hidden = length < max * 0.8;
      room.textContent = mulu.translate(length > max ? `已写 ${length} 字，超出 ${length - max} 字` : `已写 ${length} 字，最多 ${max} 字`);
    }
  }

  function file() {
    const request = { mulu_request: 1, procedure, entry: entry?.id || "", data: data(), saved_at: now() };
    save(new Blob([JSON.stringify(request, null, 1)], { type: "application/json" }), `${title}-${request.saved_at.slice(0, 10)}.json`);
  }

  async function send(again = false) {
    const body = new FormData();
    body.set("altcha", await proof());
    body.set("procedure", procedure);
    if (entry) body.set("entry", entry.id);
    body.set("data", JSON.stringify(data()));
    body.set("website", form.elements.website.value);
    for (const field of fields.filter((one) => one.dataset.kind === "files")) for (const one of value(field)) body.append("files[]", one);
    try {
      return await call("requests", { method: "POST", body });
    } catch (refused) {
      if (refused instanceof Refused && refused.status === 403 && !again) return send(true); // the challenge was too old
      throw refused;
    }
  }

  async function submit() {
    if (sending) return;
    const wrong = problems();
    if (about === "must" && !entry) wrong.unshift({ field: "", message: "请先选定条目" });
    tell(form, wrong);
    if (wrong.length) return;
    sending = true;
    form.setAttribute("aria-busy", "true");
    kept.hidden = true;
    show(progress, "正在提交……");
    try {
      const answer = await send();
      forget();
      form.hidden = true;
      receipt(document.getElementById("receipt"), answer, entry?.title || "");
    } catch (error) {
      if (error instanceof Refused) { keep(false); tell(form, error.problems); }
      else if (error instanceof Unreachable) { keep(true); unsent(now(), true, error.doubtful); }
      else throw error;
    } finally {
      progress.replaceChildren();
      sending = false;
      form.removeAttribute("aria-busy");
    }
  }

  function unsent(saved_at, just, doubtful) {
    const away = doubtful ? "没有收到受理门户的回应，不能确定是否已经提交。" : "暂时连接不上受理门户，还没有提交。";
    const files = fields.some((field) => field.dataset.kind === "files" && value(field).length);
    show(kept,
      make("p", {}, make("strong", {}, just ? away : `有一份没有提交的内容，${day(saved_at)}保存。`)),
      make("p", {}, "填写的内容已经保存在这台设备上，稍后可以再次提交；也可以存成文件，交给主管部门。"),
      files || !just ? make("p", {}, "附件没有保存，关闭本页后需要重新选择。") : null,
      make("p", { class: "actions" },
        make("button", { type: "button", class: "button", onclick: submit }, "再次提交"),
        make("button", { type: "button", class: "quiet", onclick: file }, "存成文件")));
    if (just) { kept.tabIndex = -1; kept.focus(); }
  }

  async function choose() {
    if (!about || !page) return;
    document.getElementById("subject").hidden = false;
    try {
      const answer = await fetch(`${mulu.root}entry/${page}/entry.json`);
      if (!answer.ok) throw new Error(answer.status);
      entry = await answer.json();
    } catch {
      show(document.getElementById("entry"), "没有找到这个条目，可能已经撤下。");
      return;
    }
    const place = document.getElementById("entry");
    place.removeAttribute("lang");
    place.replaceChildren(make("a", { href: `${mulu.root}entry/${page}/`, lang: "zh-CN" }, make("bdi", {}, entry.title)), make("span", { class: "who", lang: "zh-CN" }, entry.provider_title || ""));
    document.getElementById("choose")?.remove();
    const item = document.getElementById("f-item");
    if (item && Array.isArray(entry.items) && entry.items.length) {
      item.after(make("datalist", { id: "items-of-entry" }, ...entry.items.map((one) => make("option", { value: one.name }))));
      item.setAttribute("list", "items-of-entry");
    }
  }

  form.addEventListener("input", () => {
    follow();
    clearTimeout(timer);
    timer = setTimeout(() => keep(Boolean(store.read()?.waiting)), 300);
  });
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "file") return;
    const list = document.getElementById(`files-${target.name}`);
    list.replaceChildren(...[...target.files].map((one) => make("li", {}, `${one.name}（${(one.size / 1e6).toFixed(1)} MB）`)));
  });
  addEventListener("pagehide", () => { if (!form.hidden) keep(Boolean(store.read()?.waiting)); });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  document.getElementById("to-file").onclick = file;
  document.getElementById("clear").onclick = () => {
    forget();
    form.reset();
    kept.hidden = true;
    tell(form, []);
    for (const list of form.querySelectorAll(".files")) list.replaceChildren();
    follow();
  };

  choose().then(() => {
    const saved = store.read();
    if (saved?.data) {
      fill(saved.data);
      if (saved.waiting) unsent(saved.saved_at, false);
      else show(progress, `已恢复${day(saved.saved_at)}填写的内容。`);
    }
    follow();
    form.dataset.ready = "";
  });
})();
