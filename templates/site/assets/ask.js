// A request: filled in at leisure, kept in the browser while it is unsent, sent to the portal, answered by a receipt.
(() => {
  const { Unreachable, Refused, call, proof, prepare, sha256, make, show, tell, receipt, save, day, drafts, wrongFiles, listed, PREFIX } = mulu.portal;
  const form = document.getElementById("ask");
  const { procedure, about, title } = form.dataset;
  const fields = [...form.querySelectorAll(".field")];
  const progress = document.getElementById("progress"), kept = document.getElementById("kept");
  const page = (new URLSearchParams(location.search).get("entry") || "").match(/^[a-z0-9][a-z0-9_-]{0,99}$/)?.[0] || "";
  const KEY = `${PREFIX}${procedure}.${about ? page : ""}`;
  // A number of its own, by which the portal takes the request once, however often it is sent or handed in
  const drawn = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let id = drawn();
  let entry = null; // {id, title} and more once its page answered
  let gone = false; // there is no such entry any more
  let sending = false;
  let timer = 0;
  let full = false;
  let touched = false; // a window in which nothing was written keeps its hands off what another one keeps

  const store = {
    read: () => drafts().find((one) => one.key === KEY) || null,
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

  // What it is about: the entry's id; its page's name, which the portal takes as well, while nothing else is known; "" where it is
  // about none. That is somebody's choice: it never becomes so because the network was slow.
  const alone = document.getElementById("alone");
  const subject = () => (!about || alone?.checked || gone ? "" : entry?.id || page);

  const now = () => new Date().toISOString();
  const keep = (waiting, doubtful = false) => {
    const given = data();
    const draft = { id, procedure, title, page, entry: subject(), about: (subject() && entry?.title) || "", alone: Boolean(alone?.checked), data: given, saved_at: now(), waiting, doubtful };
    const kept = store.write(Object.keys(given).length ? draft : null);
    if (!kept && !full) show(progress, "浏览器没能保存填写的内容，离开本页会丢失；需要的请存成文件。");
    full = !kept;
  };
  const doubted = () => Boolean(store.read()?.doubtful);
  const again = () => { if (!touched) return; const old = store.read(); keep(Boolean(old?.waiting), Boolean(old?.doubtful)); };
  const forget = () => { clearTimeout(timer); touched = false; store.write(null); id = drawn(); };

  // Letters as the portal counts them; of what is far too long only roughly, or each key would take a second
  const letters = (text, max) => (text.length > 3 * max ? text.length : [...text].length);

  // What is missing or too long. The portal checks everything again.
  function needed(field) {
    if (field.dataset.required !== undefined) return `请填写“${field.dataset.label}”`;
    if (!field.dataset.needed) return "";
    const { when, message } = JSON.parse(field.dataset.needed);
    const given = data();
    return Object.entries(when).every(([key, wanted]) => given[key] === wanted) ? message : "";
  }

  function problems() {
    const found = about === "must" && !subject() ? [{ field: "", message: "请先选定条目" }] : [];
    if (alone && gone && !alone.checked) found.push({ field: "", message: "没有找到这个条目，可能已经撤下。不针对条目的，请勾选“不针对这个条目”" });
    for (const field of fields) {
      const { key, kind, label, max } = field.dataset, given = value(field), must = needed(field);
      const say = (message) => found.push({ field: key, message });
      if (!filled(given)) must && say(must);
      else if (kind === "files") wrongFiles(given, JSON.parse(field.dataset.files)).forEach(say);
      else if (kind !== "number" && max && letters(given, max) > Number(max)) say(`“${label}”有${letters(given, max)}字，最多${max}字`);
      else if (kind === "email" && !form.querySelector(`#f-${key}`).validity.valid) say(`“${label}”应为形如 name@example.com 的电子邮箱`);
    }
    return found;
  }

  function follow() {
    for (const field of fields) {
      const room = field.querySelector(".room"), mark = field.querySelector(".must");
      if (field.dataset.needed) mark.hidden = !needed(field);
      if (!room) continue;
      const max = Number(field.dataset.max), length = letters(value(field), max);
      room.hidden = length < max * 0.8;
      room.textContent = mulu.translate(length > max ? `已写 ${length} 字，超出 ${length - max} 字` : `已写 ${length} 字，最多 ${max} 字`);
    }
  }

  // What `mulu cases import` takes. The check finds what is damaged on the way.
  async function file() {
    if (sending) return;
    const wrong = problems();
    tell(form, wrong);
    if (wrong.length) return;
    const request = { mulu_request: 1, id, procedure, entry: subject(), data: data(), saved_at: now() };
    request.check = await sha256(JSON.stringify([request.id, request.procedure, request.entry, request.data, request.saved_at]));
    save(new Blob([JSON.stringify(request, null, 1)], { type: "application/json" }), `${title}-${request.saved_at.slice(0, 10)}.json`);
    keep(true, doubted());
    show(progress, "已存成文件。请连同附件送交主管部门，收件后给您受理编号和查询码。");
  }

  async function send(again = false) {
    const body = new FormData();
    body.set("altcha", await proof());
    body.set("procedure", procedure);
    body.set("request", id);
    if (subject()) body.set("entry", subject());
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

  function hold(on) {
    sending = on;
    form.setAttribute("aria-busy", String(on));
    for (const name of ["to-file", "clear"]) document.getElementById(name).disabled = on;
  }

  async function submit() {
    if (sending) return;
    const wrong = problems();
    tell(form, wrong);
    if (wrong.length) return;
    hold(true);
    kept.hidden = true;
    show(progress, "正在提交……");
    try {
      const told = (subject() && entry?.title) || "";
      const answer = await send();
      forget();
      form.hidden = true;
      form.reset(); // nothing to be sent again by the back button
      receipt(document.getElementById("receipt"), answer, told);
    } catch (error) {
      if (error instanceof Refused) { keep(false, error.status !== 422 && doubted()); tell(form, error.problems); }
      else if (error instanceof Unreachable) { const doubt = error.doubtful || doubted(); keep(true, doubt); unsent(now(), true, doubt); }
      else throw error;
    } finally {
      progress.replaceChildren();
      hold(false);
    }
  }

  function unsent(saved_at, just, doubtful) {
    const away = doubtful ? "没有收到受理门户的回应，不能确定是否已经提交。再次提交不会重复受理。" : "暂时连接不上受理门户，还没有提交。";
    const files = fields.some((field) => field.dataset.kind === "files" && value(field).length);
    show(kept,
      make("p", {}, make("strong", {}, just || doubtful ? away : `有一份没有提交的内容，${day(saved_at)}保存。`)),
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
    const place = document.getElementById("entry");
    show(place, entry?.title || "正在读取条目……");
    try {
      const answer = await fetch(`${mulu.root}entry/${page}/entry.json`);
      gone = answer.status === 404 || answer.status === 410;
      if (gone) { show(place, "没有找到这个条目，可能已经撤下。"); return; }
      if (!answer.ok) throw new Unreachable();
      entry = await answer.json();
    } catch {
      if (!entry?.title) { show(place, "暂时取不到这个条目的信息，仍可以提交，由受理门户核对。"); return; }
    }
    place.removeAttribute("lang");
    place.replaceChildren(make("a", { href: `${mulu.root}entry/${page}/`, lang: "zh-CN" }, make("bdi", {}, entry.title)), make("span", { class: "who", lang: "zh-CN" }, entry.provider_title || ""));
    document.getElementById("choose")?.remove();
    const item = document.getElementById("f-item");
    if (item && Array.isArray(entry.items) && entry.items.length) {
      item.after(make("datalist", { id: "items-of-entry" }, ...entry.items.map((one) => make("option", { value: one.name }))));
      item.setAttribute("list", "items-of-entry");
    }
  }

  // What was kept is there before anything can be written; the entry may come later.
  prepare();
  const saved = store.read();
  if (saved?.data) {
    fill(saved.data);
    id = saved.id || id;
    if (alone) alone.checked = Boolean(saved.alone);
    if (saved.entry) entry = { id: saved.entry, title: saved.about };
    if (saved.waiting) unsent(saved.saved_at, false, saved.doubtful);
    else show(progress, `已恢复${day(saved.saved_at)}填写的内容。`);
  } else if (form.elements.title) form.elements.title.value = (new URLSearchParams(location.search).get("title") || "").slice(0, 100); // searched for in vain
  follow();

  form.addEventListener("input", () => {
    touched = true;
    follow();
    clearTimeout(timer);
    timer = setTimeout(again, 300);
  });
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "file") return;
    const list = document.getElementById(`files-${target.name}`);
    list.replaceChildren(...listed([...target.files]));
    const field = target.closest(".field"), place = document.getElementById(`e-${target.name}`);
    show(place, ...wrongFiles([...target.files], JSON.parse(field.dataset.files)).map((one) => make("span", { lang: "zh-CN" }, one)));
    target.toggleAttribute("aria-invalid", place.childElementCount > 0);
  });
  addEventListener("pagehide", () => { if (!form.hidden) again(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden && !form.hidden) again(); });
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== KEY || form.hidden) return;
    if (newValue === null) id = drawn(); // the other one was sent: what is here is another request
    show(progress, newValue === null ? "这张表在另一个窗口里已经提交或者清除。" : "这张表同时在另一个窗口里填写，保存的是最后改动的一份。");
  });
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

  choose().then(() => { form.dataset.ready = ""; });
})();
