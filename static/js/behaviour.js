// Small comforts, each by an attribute. Every page works without them.
(() => {
  // data-copy: put the value on the clipboard and say so.
  const copied = async (button) => {
    const label = button.getAttribute("aria-label");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.setAttribute("aria-label", "Copied");
      button.dataset.copied = "";
    } catch {
      button.setAttribute("aria-label", "Could not copy; select the text instead");
    }
    setTimeout(() => {
      button.setAttribute("aria-label", label);
      delete button.dataset.copied;
    }, 1500);
  };

  // data-menu on <details>: close when the eye goes elsewhere.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copied(button);
    closeMenus(event.target);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details[data-menu][open]");
    if (menu) menu.querySelector("summary").focus();
    closeMenus(null);
  });

  // data-submit-once on <form>: a second click does nothing. The server refuses it too, by key.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-submit-once]")) return;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    for (const button of form.querySelectorAll("[type=submit]")) {
      button.setAttribute("aria-busy", "true");
    }
  });

  // Back from the next page, the browser may show this one as it was left: sent.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
    }
  });

  // data-focus: an error summary takes the focus, so that it is read first.
  document.querySelector("[data-focus]")?.focus();
})();
