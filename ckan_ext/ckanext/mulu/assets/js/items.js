// Rows of 信息项: add, remove, move by keyboard, and paste straight from a spreadsheet.
(function () {
  "use strict";

  document.querySelectorAll("[data-m-items]").forEach(function (box) {
    var body = box.querySelector("tbody");
    var template = box.querySelector("template");
    var status = box.querySelector("[data-m-status]");
    var next = body.rows.length;

    function rows() { return Array.prototype.slice.call(body.querySelectorAll("[data-m-row]")); }
    function first(row) { return row.querySelector("input, select"); }
    function number() {
      rows().forEach(function (row, index) {
        row.querySelector("[data-m-number]").textContent = index + 1;
        row.querySelector("[data-m-remove]").hidden = false;
      });
    }
    function add() {
      var html = template.innerHTML.replace(/__n__/g, String(next));
      next += 1;
      body.insertAdjacentHTML("beforeend", html);
      number();
      return body.lastElementChild;
    }
    function remove(row) {
      var all = rows();
      var at = all.indexOf(row);
      row.remove();
      if (all.length === 1) { add(); }
      number();
      var left = rows();
      first(left[Math.min(at, left.length - 1)]).focus();
      status.textContent = box.dataset.removed.replace("{n}", at + 1);
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }
    function fill(control, text) {
      text = text.trim();
      if (control.type === "checkbox") {
        control.checked = /^(是|√|y|yes|true|1)$/i.test(text);
      } else if (control.tagName === "SELECT") {
        // 字符型C, 字符型 and C all mean the same choice.
        var wanted = text.toLowerCase();
        var match = Array.prototype.find.call(control.options, function (option) {
          var label = option.text.trim().toLowerCase();
          return wanted && (option.value.toLowerCase() === wanted || label === wanted || label.indexOf(wanted) === 0 || wanted.indexOf(label) === 0 && label);
        });
        if (match) { control.value = match.value; }
      } else {
        control.value = text;
      }
    }

    box.querySelector("[data-m-add]").addEventListener("click", function (event) {
      event.preventDefault();
      first(add()).focus();
    });
    body.addEventListener("click", function (event) {
      var button = event.target.closest("[data-m-remove]");
      if (button) { remove(button.closest("[data-m-row]")); }
    });
    body.addEventListener("keydown", function (event) {
      var row = event.target.closest("[data-m-row]");
      if (event.key === "Enter" && event.target.tagName === "INPUT") {
        event.preventDefault();
        var all = rows();
        var column = event.target.closest("td").cellIndex;
        var below = all[all.indexOf(row) + 1] || add();
        below.cells[column].querySelector("input, select").focus();
      } else if (event.key === "Delete" && event.ctrlKey) {
        event.preventDefault();
        remove(row);
      }
    });
    body.addEventListener("paste", function (event) {
      var text = event.clipboardData.getData("text/plain");
      if (text.indexOf("\t") < 0 && text.trim().indexOf("\n") < 0) { return; }
      event.preventDefault();
      var row = event.target.closest("[data-m-row]");
      var column = event.target.closest("td").cellIndex;
      var lines = text.replace(/\r/g, "").replace(/\n+$/, "").split("\n");
      lines.forEach(function (line, index) {
        if (index) { row = row.nextElementSibling || add(); }
        line.split("\t").forEach(function (value, offset) {
          var cell = row.cells[column + offset];
          var control = cell && cell.querySelector("input, select");
          if (control) { fill(control, value); }
        });
      });
      number();
      status.textContent = box.dataset.pasted.replace("{n}", lines.length);
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
    number();
  });
})();
