// Form comfort. Every form works without it: nothing here decides, and nothing hidden loses its value.
(function () {
  "use strict";

  document.documentElement.classList.add("m-js");
  document.querySelectorAll(".m-js-only").forEach(function (el) { el.hidden = false; });

  // data-when="share_type=conditional,none": shown for these values, or when it holds a value or a problem itself.
  function holds(field) {
    return Array.prototype.some.call(field.querySelectorAll("input, select, textarea"), function (el) {
      return el.type === "checkbox" || el.type === "radio" ? el.checked : el.type !== "hidden" && el.value.trim() !== "";
    });
  }
  document.querySelectorAll("form").forEach(function (form) {
    var dependent = form.querySelectorAll("[data-when]");
    function refresh() {
      dependent.forEach(function (field) {
        var parts = field.dataset.when.split("=");
        var source = form.elements[parts[0]];
        var value = source ? source.value : "";
        field.hidden = parts[1].split(",").indexOf(value) < 0 && !holds(field) && !field.classList.contains("m-field-bad");
      });
    }
    if (dependent.length) {
      form.addEventListener("change", refresh);
      refresh();
    }
  });

  // A sensitive item asks why once it is ticked.
  document.querySelectorAll("input[data-m-reason]").forEach(function (box) {
    var why = document.getElementById(box.dataset.mReason);
    function refresh() { why.hidden = !box.checked && !why.querySelector("input").value; }
    box.addEventListener("change", refresh);
    refresh();
  });

  // The summary of problems takes the focus, so that a screen reader hears it and Tab goes on from there.
  var summary = document.querySelector(".m-summary");
  if (summary) { summary.focus(); }

  // One box for all boxes of a list.
  document.querySelectorAll("input[data-m-all]").forEach(function (all) {
    all.hidden = false;
    all.addEventListener("change", function () {
      document.querySelectorAll('input[name="' + all.dataset.mAll + '"]').forEach(function (one) { one.checked = all.checked; });
    });
  });

  // Leaving a changed form asks first.
  document.querySelectorAll("form[data-m-form]").forEach(function (form) {
    var changed = false;
    form.addEventListener("input", function () { changed = true; });
    form.addEventListener("submit", function () { changed = false; });
    window.addEventListener("beforeunload", function (event) { if (changed) { event.preventDefault(); } });
  });

  // Long work goes on by itself; without this the button does.
  document.querySelectorAll("form[data-m-continue]").forEach(function (form) {
    window.setTimeout(function () { form.submit(); }, 300);
  });

  // A file that is too big is told before it is sent.
  document.querySelectorAll("form[data-m-upload]").forEach(function (form) {
    var input = form.querySelector("input[type=file]");
    var message = form.querySelector("[data-m-upload-error]");
    var most = Number(form.dataset.mUpload);
    function tooBig() {
      var file = input.files[0];
      var bad = file && file.size > most * 1024 * 1024;
      message.hidden = !bad;
      message.textContent = bad ? message.dataset.mUploadError.replace("{size}", Math.ceil(file.size / 1048576)).replace("{most}", most) : "";
      return bad;
    }
    input.addEventListener("change", tooBig);
    form.addEventListener("submit", function (event) { if (tooBig()) { event.preventDefault(); input.focus(); } });
  });
})();
