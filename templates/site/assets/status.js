// Looking up a request by its receipt number and query code; saying more of it, taking it back.
(() => {
  const { Unreachable, Refused, call, make, show, tell, day, due, address, drafts, wrongFiles, listed } = mulu.portal;
  const form = document.getElementById("status");
  const section = document.getElementById("case"), progress = document.getElementById("progress");
  const number = document.getElementById("f-receipt"), code = document.getElementById("f-code");
  const limits = JSON.parse(form.dataset.files);
  const MOST = 2000;
  const given = () => ({ receipt: number.value.trim().toUpperCase(), code: code.value.trim().toUpperCase() });
  const post = (path, body) => call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  const fact = (label, value) => (value ? make("div", {}, make("dt", {}, label), make("dd", { lang: "zh-CN" }, value)) : null);
  // Who joined what somebody else had asked for before is answered with them.
  const term = (one) => (one.due_on && one.term ? `（自${one.joined ? "最先提出" : "收到"}之日起${one.term}${one.extended_by ? `，已延长${one.extended_by}个工作日` : ""}）` : "");
  const lines = (text) => make("p", { class: "answer-text", lang: "zh-CN" }, make("bdi", {}, text));

  function draw(one, pair) {
    const can = one.can || [];
    show(section,
      make("h2", { id: "case-title", lang: "zh-CN" }, make("bdi", {}, one.title || one.procedure_title)),
      make("p", { class: "verdict" }, one.state_label || one.state),
      one.overdue && !one.final ? make("p", { class: "note late" }, "已经超过答复期限，主管部门已得到提醒。您也可以", make("a", { href: `${mulu.root}ask/complaint/` }, "投诉举报"), "。") : null,
      make("dl", { class: "fields" },
        fact("受理编号", one.receipt), fact("事项", one.procedure_title), fact("收到日期", day(one.filed_on)),
        one.final ? null : fact("现在由谁办理", one.waits_for),
        one.final ? null : fact("答复期限", due(one) + term(one)),
        fact("依据", one.article),
        fact("附件", (one.attachments || []).map((file) => file.name).join("、"))),
      one.question ? make("div", { class: "note question" }, make("h3", {}, "请您补充说明"), lines(one.question.text), make("p", { class: "hint" }, "不补充的，按已有材料办理；答复期限照常计算。")) : null,
      one.question && can.includes("supplement") ? supplement(pair, true, one.timeline || []) : null,
      one.answer ? answer(one.answer) : null,
      make("h3", {}, "办理经过"),
      make("ol", { class: "steps" }, ...(one.timeline || []).map((step) => make("li", {}, make("time", { datetime: step.on }, (step.on || "").slice(0, 10)),
        make("div", {}, make("span", {}, step.label), step.text ? lines(step.text) : null)))),
      !one.question && can.includes("supplement") ? supplement(pair, false, one.timeline || []) : null,
      make("p", { class: "actions" },
        make("button", { type: "button", class: "quiet", onclick: () => print() }, "打印或存为 PDF"),
        can.includes("withdraw") ? withdrawal(pair) : null));
    document.body.classList.add("with-case");
    section.focus();
  }

  function answer(told) {
    return make("div", { class: "answer" }, make("h3", {}, told.label),
      told.reason ? lines(told.reason) : null,
      told.entry ? make("p", { lang: "zh-CN" }, make("a", { href: `${address}/dataset/${encodeURIComponent(told.entry.id)}` }, told.entry.title)) : null,
      make("p", { class: "hint", lang: "zh-CN" }, [day(told.on), told.article].filter(Boolean).join("，")),
      told.remedy ? make("p", { lang: "zh-CN" }, told.remedy) : null);
  }

  function withdrawal(pair) {
    const ask = make("button", { type: "button", class: "quiet", onclick: () => { ask.hidden = true; sure.hidden = false; sure.querySelector("button").focus(); } }, "撤回");
    const sure = make("span", { class: "actions sure", hidden: true }, make("span", {}, "撤回后不能恢复，确定撤回？"),
      make("button", { type: "button", class: "button", onclick: () => run(() => post("withdraw", pair), pair, form) }, "确定撤回"),
      make("button", { type: "button", class: "quiet", onclick: () => { sure.hidden = true; ask.hidden = false; ask.focus(); } }, "不撤回"));
    return make("span", { class: "withdraw" }, ask, sure);
  }

  let unsure = null; // {receipt, written} of a supplement of which nobody knows whether it arrived: kept through the look-up

  function supplement(pair, wanted, timeline) {
    const text = make("textarea", { id: "f-supplement", name: "supplement", rows: "5", "aria-describedby": "e-supplement", "aria-required": "true" });
    if (unsure?.receipt === pair.receipt && !timeline.some((step) => step.text === unsure.written)) text.value = unsure.written;
    const files = make("input", { type: "file", id: "f-attachments", name: "attachments", multiple: true, accept: limits.endings.join(","), "aria-describedby": "h-attachments e-attachments" });
    const list = make("ul", { class: "files", lang: "zh-CN" });
    files.onchange = () => list.replaceChildren(...listed([...files.files]));
    const said = make("form", { class: "form more-form", novalidate: true },
      make("div", { class: "problems", role: "alert", tabindex: "-1", hidden: true }),
      make("div", { class: "field" }, make("label", { for: "f-supplement" }, "补充说明"), text, make("p", { class: "wrong", id: "e-supplement" })),
      make("div", { class: "field" }, make("label", { for: "f-attachments" }, "附件"),
        make("p", { class: "hint", id: "h-attachments" }, `可以不附；最多 ${limits.most} 个，每个不超过 ${limits.bytes >> 20} MB：${limits.accepted}`), files, list, make("p", { class: "wrong", id: "e-attachments" })),
      make("p", { class: "send" }, make("button", { type: "submit", class: "button" }, "提交补充说明")));
    said.addEventListener("submit", (event) => {
      event.preventDefault();
      const written = text.value.trim(), length = [...written].length, chosen = [...files.files];
      const wrong = wrongFiles(chosen, limits).map((message) => ({ field: "attachments", message }));
      if (!written) wrong.unshift({ field: "supplement", message: "请填写“补充说明”" });
      else if (length > MOST) wrong.unshift({ field: "supplement", message: `“补充说明”有${length}字，最多${MOST}字` });
      tell(said, wrong);
      if (wrong.length) return;
      const body = new FormData();
      for (const [key, value] of Object.entries({ ...pair, supplement: written })) body.set(key, value);
      for (const file of chosen) body.append("files[]", file);
      unsure = { receipt: pair.receipt, written };
      run(() => call("supplement", { method: "POST", body }), pair, said);
    });
    return make("details", { class: "more-said", open: wanted }, make("summary", {}, "补充说明或者材料"), said);
  }

  let busy = false;
  async function run(asked, pair, place) {
    if (busy) return;
    busy = true;
    tell(place, []);
    show(progress, "正在查询……");
    try {
      draw(await asked(), pair);
    } catch (error) {
      if (place === form && error.status === 404) section.hidden = true;
      if (error instanceof Unreachable) tell(place, [{ field: "", message: place === form ? "暂时连接不上受理门户，请稍后再查。" : error.doubtful ? "没有收到受理门户的回应，不能确定是否收到，请先查询进度；没有收到的再提交。" : "暂时连接不上受理门户，没有提交；写好的内容还在，请稍后再试。" }]);
      else if (error instanceof Refused && error.status === 404) tell(place, [{ field: place === form ? "receipt" : "", message: "受理编号或者查询码不对，请对照回执核对。" }]);
      else if (error instanceof Refused) tell(place, error.problems);
      else throw error;
    } finally {
      progress.replaceChildren();
      busy = false;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const pair = given();
    const missing = [["receipt", "请填写受理编号"], ["code", "请填写查询码"]].filter(([key]) => !pair[key]);
    section.hidden = true;
    if (missing.length) tell(form, missing.map(([field, message]) => ({ field, message })));
    else run(() => post("status", pair), pair, form);
  });

  if (location.hash.length > 1) {
    try { number.value = decodeURIComponent(location.hash.slice(1)); } catch { /* no receipt number */ }
    code.focus();
  }

  // What is still unsent on this device
  const unsent = drafts();
  if (unsent.length) {
    const block = document.getElementById("unsent");
    block.querySelector("ul").replaceChildren(...unsent.map((one) => {
      const path = `${mulu.root}ask/${encodeURIComponent(one.procedure)}/${one.page ? `?entry=${encodeURIComponent(one.page)}` : ""}`;
      return make("li", {}, make("a", { href: path }, one.title), one.about ? make("span", { lang: "zh-CN" }, `：${one.about}`) : null, make("span", { class: "hint" }, ` ${day(one.saved_at)}`));
    }));
    block.hidden = false;
    mulu.ready.then(() => mulu.translateAll(block));
  }
})();
