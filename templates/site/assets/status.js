// Looking up a request by its receipt number and query code.
(() => {
  const { Unreachable, Refused, call, make, show, tell, day, due, address } = mulu.portal;
  const form = document.getElementById("status");
  const section = document.getElementById("case"), progress = document.getElementById("progress");
  const number = document.getElementById("f-receipt"), code = document.getElementById("f-code");
  const given = () => ({ receipt: number.value.trim().toUpperCase(), code: code.value.trim().toUpperCase() });
  const post = (path, body) => call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  const fact = (label, value) => (value ? make("div", {}, make("dt", {}, label), make("dd", { lang: "zh-CN" }, value)) : null);

  function draw(one, pair) {
    const answer = one.answer;
    show(section,
      make("h2", { id: "case-title", lang: "zh-CN" }, one.title || one.procedure_title),
      make("p", { class: "verdict" }, one.state_label || one.state),
      one.overdue ? make("p", { class: "note late" }, "已经超过答复期限，主管部门已得到提醒。") : null,
      make("dl", { class: "fields" },
        fact("受理编号", one.receipt), fact("事项", one.procedure_title), fact("提交日期", day(one.filed_on)),
        one.final ? null : fact("答复期限", due(one))),
      answer ? make("div", { class: "answer", lang: "zh-CN" }, make("h3", {}, answer.label),
        answer.reason ? make("p", { class: "answer-text" }, answer.reason) : null,
        answer.entry ? make("p", {}, make("a", { href: `${address}/dataset/${encodeURIComponent(answer.entry.id)}` }, answer.entry.title)) : null,
        make("p", { class: "hint" }, [day(answer.on), answer.article].filter(Boolean).join("，"))) : null,
      make("h3", {}, "办理经过"),
      make("ol", { class: "steps" }, ...(one.timeline || []).map((step) => make("li", {}, make("time", { datetime: step.on }, (step.on || "").slice(0, 10)), make("span", {}, step.label)))),
      (one.can || []).includes("withdraw") ? withdrawal(pair) : null);
    section.focus();
  }

  function withdrawal(pair) {
    const ask = make("button", { type: "button", class: "quiet", onclick: () => { ask.hidden = true; sure.hidden = false; sure.querySelector("button").focus(); } }, "撤回");
    const sure = make("p", { class: "actions", hidden: true }, make("span", {}, "撤回后不能恢复，确定撤回？"),
      make("button", { type: "button", class: "button", onclick: () => run("withdraw", pair) }, "确定撤回"),
      make("button", { type: "button", class: "quiet", onclick: () => { sure.hidden = true; ask.hidden = false; ask.focus(); } }, "不撤回"));
    return make("div", { class: "withdraw" }, ask, sure);
  }

  async function run(path, pair) {
    tell(form, []);
    show(progress, "正在查询……");
    try {
      draw(await post(path, pair), pair);
    } catch (error) {
      section.hidden = path !== "withdraw";
      if (error instanceof Unreachable) tell(form, [{ field: "", message: "暂时连接不上受理门户，请稍后再查。" }]);
      else if (error instanceof Refused && error.status === 404) tell(form, [{ field: "receipt", message: "受理编号或者查询码不对，请对照回执核对。" }]);
      else if (error instanceof Refused) tell(form, error.problems);
      else throw error;
    } finally {
      progress.replaceChildren();
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const pair = given();
    const missing = [["receipt", "请填写受理编号"], ["code", "请填写查询码"]].filter(([key]) => !pair[key]);
    if (missing.length) tell(form, missing.map(([field, message]) => ({ field, message })));
    else run("status", pair);
  });

  if (location.hash.length > 1) {
    number.value = decodeURIComponent(location.hash.slice(1));
    code.focus();
  }

  // What is still unsent on this device
  const unsent = [];
  try {
    for (const key of Object.keys(localStorage).filter((one) => one.startsWith("mulu.ask."))) unsent.push(JSON.parse(localStorage.getItem(key)));
  } catch { /* storage is off: nothing is kept */ }
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
