// Talking to the portal that takes requests, and telling what is wrong with a form.
(() => {
  const { root } = mulu;
  const address = document.querySelector("form[data-portal]").dataset.portal;

  // The portal was not reached, or could not answer: what was filled in is kept, to be sent again.
  // doubtful: it was sent something and then fell silent, so that nobody knows whether it was taken.
  class Unreachable extends Error {
    constructor(doubtful = false) {
      super("unreachable");
      this.doubtful = doubtful;
    }
  }
  // The portal refused; problems are [{field, message, article}].
  class Refused extends Error {
    constructor(status, problems) {
      super(`refused: ${status}`);
      Object.assign(this, { status, problems });
    }
  }

  const REASONS = {
    403: "安全校验没有通过，请再提交一次。",
    413: "附件太大，请减少或者压缩后再提交。",
    415: "附件的格式不受理，请换成文档、表格或者图片。",
  };

  function reason(answer) {
    if (answer.status !== 429) return REASONS[answer.status] || `门户没有受理（代码 ${answer.status}），请稍后再试。`;
    const seconds = Number(answer.headers.get("Retry-After"));
    return seconds ? `提交得太频繁，请在 ${Math.ceil(seconds / 60)} 分钟后再试。` : "提交得太频繁，请过一会儿再试。";
  }

  async function call(path, options = {}) {
    if (!address) throw new Unreachable();
    const sends = options.method === "POST";
    let answer, body;
    try {
      answer = await fetch(`${address}/mulu/public/${path}`, { credentials: "omit", signal: AbortSignal.timeout(90_000), ...options });
      body = await answer.json().catch(() => null);
    } catch {
      throw new Unreachable(sends);
    }
    if (answer.ok && body) return body;
    if (answer.ok || answer.status >= 500) throw new Unreachable(sends); // cut off, or a gateway's word: it may have been taken
    const told = Array.isArray(body?.problems) ? body.problems.filter((one) => one && one.message) : [];
    throw new Refused(answer.status, told.length ? told : [{ field: "", message: reason(answer) }]);
  }

  // The worker that computes: fetched when a form is opened, so that it is there when the network is not. It answers in turn, each
  // task by its number.
  let worker = null, tasks = 0;
  const waiting = new Map();
  function prepare() {
    if (worker) return;
    worker = new Worker(root + "assets/proof.js");
    worker.onmessage = ({ data: { task, result } }) => { waiting.get(task)?.done(result); waiting.delete(task); };
    worker.onerror = () => {
      worker = null;
      for (const one of waiting.values()) one.failed(new Unreachable());
      waiting.clear();
    };
  }

  function compute(given) {
    prepare();
    return new Promise((done, failed) => {
      waiting.set(++tasks, { done, failed });
      worker.postMessage({ ...given, task: tasks });
    });
  }

  const sha256 = (text) => compute({ text });

  // A proof of work instead of a picture puzzle: no one has to see or hear anything.
  async function proof() {
    const task = await call("challenge");
    const number = await compute({ salt: task.salt, challenge: task.challenge, most: task.maxnumber ?? task.maxNumber ?? 1_000_000 });
    if (number === null || task.algorithm !== "SHA-256") throw new Unreachable();
    const { algorithm, challenge, salt, signature } = task;
    return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
  }

  // An element with attributes, texts and children; texts are translated where the page is in English.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (name.startsWith("on")) element[name] = value;
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function show(element, ...children) {
    element.replaceChildren(...children.filter(Boolean));
    element.hidden = false;
    mulu.ready.then(() => mulu.translateAll(element));
  }

  // All problems at once: in a summary that gets the focus and leads to the fields, and at the fields.
  function tell(form, problems) {
    const summary = form.querySelector(".problems");
    for (const old of form.querySelectorAll(".wrong")) old.replaceChildren();
    for (const old of form.querySelectorAll("[aria-invalid]")) old.removeAttribute("aria-invalid");
    summary.hidden = !problems.length;
    if (!problems.length) return;
    const rows = problems.map(({ field = "", message, article }) => {
      const key = field.split(/[.[]/)[0];
      const input = form.querySelector(`#f-${CSS.escape(key)}`), place = form.querySelector(`#e-${CSS.escape(key)}`);
      if (!input || !place) return make("li", {}, message, article ? make("span", { class: "cited", lang: "zh-CN" }, `（${article}）`) : null);
      place.append(make("span", { lang: "zh-CN" }, message));
      for (const one of form.elements[input.name] instanceof RadioNodeList ? form.elements[input.name] : [input]) one.setAttribute("aria-invalid", "true");
      const link = make("a", { href: `#f-${key}`, onclick: (event) => { event.preventDefault(); input.focus(); } }, message);
      return make("li", {}, link, article ? make("span", { class: "cited", lang: "zh-CN" }, `（${article}）`) : null);
    });
    show(summary, make("h2", {}, problems.length > 1 ? `有 ${problems.length} 处需要改正` : "有一处需要改正"), make("ul", {}, ...rows));
    summary.focus();
  }

  const day = (text) => {
    const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text || "") || [];
    return year ? `${Number(year)}年${Number(month)}月${Number(date)}日` : text || "";
  };
  const due = (one) => day(one.due_on) + (one.provisional ? "（暂定，节假日安排公布后可能调整）" : "");

  // What is unsent on this device. A draft is forgotten after a week, what was meant to be sent after a month.
  const WEEK = 7 * 864e5, PREFIX = "mulu.ask.";
  function drafts() {
    const found = [];
    try {
      for (const key of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
        let one = null;
        try { one = JSON.parse(localStorage.getItem(key)); } catch { /* not ours, or cut off */ }
        const age = Date.now() - Date.parse(one?.saved_at);
        if (age < (one?.waiting ? 4 * WEEK + 2 * 864e5 : WEEK)) found.push({ ...one, key });
        else localStorage.removeItem(key);
      }
    } catch { /* storage is off: nothing is kept */ }
    return found;
  }

  // Files as far as a browser can judge them: by number, size and ending. The portal looks into them.
  const ending = (name) => /\.[^.]+$/.exec(name)?.[0].toLowerCase() || "";
  function wrongFiles(files, { most, bytes, all, endings, accepted }) {
    const found = files.length > most ? [`附件有${files.length}个，最多${most}个`] : [];
    for (const { name, size } of files) {
      if (!size) found.push(`附件“${name}”是空文件`);
      else if (size > bytes) found.push(`附件“${name}”有 ${(size / 2 ** 20).toFixed(1)} MB，每个附件最大 ${bytes >> 20} MB`);
      if (!endings.includes(ending(name))) found.push(`附件“${name}”不是可以受理的格式，请换成 ${accepted}`);
    }
    if (files.reduce((sum, one) => sum + one.size, 0) > all) found.push(`附件合计最大 ${all >> 20} MB`);
    return found;
  }

  const listed = (files) => files.map((one) => make("li", {}, make("bdi", {}, one.name), `（${one.size < 1e5 ? `${Math.ceil(one.size / 1e3)} KB` : `${(one.size / 2 ** 20).toFixed(1)} MB`}）`));

  mulu.portal = { Unreachable, Refused, call, proof, prepare, sha256, make, show, tell, day, due, address, drafts, wrongFiles, listed, PREFIX };
})();
