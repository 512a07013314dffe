/* The page of a run that goes on: its numbers are brought up to date where they stand; once it is over the page shows the rest. */
(function () {
  "use strict";
  var live = document.querySelector("[data-live]");
  if (!live) return;
  var pause = 1500;

  function text(selector, value) {
    var one = document.querySelector(selector);
    if (one && one.textContent !== String(value)) one.textContent = value;
  }

  function show(run) {
    Object.keys(run.counts).forEach(function (key) { text('[data-live-count="' + key + '"]', run.counts[key]); });
    text("[data-live-seconds]", Math.round(run.seconds * 10) / 10);
    text("[data-live-state]", run.state);
    text("[data-live-phase]", run.phase || run.state);
  }

  function ask() {
    if (document.hidden) return void setTimeout(ask, pause);
    fetch(live.dataset.live, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
      .then(function (run) {
        if (!run.live) return void location.reload();
        show(run);
        pause = 1500;
        setTimeout(ask, pause);
      })
      .catch(function () { pause = Math.min(pause * 2, 30000); setTimeout(ask, pause); });
  }

  setTimeout(ask, pause);
})();
